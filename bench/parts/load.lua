-- Every name is on this machine: the one in the URL goes into the handshake and the Host field.
function wrk.resolve(_, service)
  wrk.addrs = wrk.lookup("127.0.0.1", service)
end
