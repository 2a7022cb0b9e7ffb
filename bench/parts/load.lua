-- Every name is on this machine: the one in the URL goes into the handshake and the Host field.
function wrk.resolve(_, service)
  wrk.addrs = wrk.lookup("127.0.0.1", service)
end

-- With an argument: the mean pause of a connection between its requests, in seconds.
function init(args)
  if args[1] then
    local most = math.floor(tonumber(args[1]) * 2000)
    function delay() return math.random(0, most) end
  end
end
