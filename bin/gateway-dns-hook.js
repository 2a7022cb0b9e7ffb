#!/usr/bin/env node
// What lego's exec provider runs inside Traefik: hands one TXT value to the running gateway, which writes it. It imports nothing
// of the gateway, so that it starts at once, and its arguments never reach a shell. docs/dns-hook.md
import { connect } from 'node:net'

// Node opens its debugger on SIGUSR1, for every user of the machine, unless the signal has a listener.
process.on('SIGUSR1', () => {})

const seconds = 10
const usage = 'call it as: gateway-dns-hook present|cleanup _acme-challenge.<domain>. <value>, or gateway-dns-hook timeout'
const host = /^_acme-challenge(\.[A-Za-z0-9_-]{1,63})+\.?$/
const value = /^[A-Za-z0-9_-]{43}$/

/** Of sysexits.h where there is one, and as the `gateway` command has them: docs/cli.md. */
const exits = { refused: 2, late: 5, unreachable: 69 }

const end = (code, text) => {
  if (text) process.stderr.write(`gateway-dns-hook: ${text}\n`, () => process.exit(code))
  else process.exit(code)
}

/** Seconds that lego waits for the value to be seen, and between two looks. */
const timeouts = () => process.stdout.write('{"timeout":60,"interval":1}\n', () => process.exit(0))

/** Fit for one line of a log: what does not print is escaped. */
const shown = (text) =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const ask = (request) => {
  const { GATEWAY_DNS_SOCKET, GATEWAY_ROOT } = process.env
  const path = GATEWAY_DNS_SOCKET || (GATEWAY_ROOT && `${GATEWAY_ROOT}/dns-hook.sock`)
  if (!path)
    return end(exits.unreachable, 'NOT_RUNNING: no gateway is named (set GATEWAY_DNS_SOCKET, or GATEWAY_ROOT to its root)')
  setTimeout(
    end,
    seconds * 1000,
    exits.late,
    `TIMEOUT: the gateway at ${path} did not answer within ${seconds} s (see its log and \`gateway status\`; the next renewal tries again)`,
  )
  let answer = ''
  const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`))
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    answer += text
  })
  socket.on('end', () => tell(answer, path))
  socket.on('error', (error) =>
    end(
      exits.unreachable,
      `NOT_RUNNING: no gateway answers at ${path}: ${error.message} (start it with dnsHook() in its config; run this as its user)`,
    ),
  )
}

const tell = (answer, path) => {
  try {
    const { exit, text } = JSON.parse(answer)
    if (!Number.isInteger(exit)) throw new Error('no exit code')
    end(exit, text)
  } catch {
    end(
      exits.unreachable,
      `NOT_RUNNING: ${path} ended without an answer (is it the socket of dnsHook(), and is the gateway stopping?)`,
    )
  }
}

const [verb, fqdn = '', txt = '', ...more] = process.argv.slice(2)
if (verb === 'timeout' && process.argv.length === 3) timeouts()
else if ((verb !== 'present' && verb !== 'cleanup') || more.length > 0) end(exits.refused, `BAD_REQUEST: ${usage}`)
else if (fqdn.length > 254 || !host.test(fqdn))
  end(exits.refused, `BAD_REQUEST: ${shown(fqdn)} is no name of a DNS challenge (give _acme-challenge.<domain>.)`)
else if (!value.test(txt))
  end(
    exits.refused,
    `BAD_REQUEST: ${shown(txt)} is no value of a DNS challenge (43 letters, digits, - and _: RFC 8555 section 8.4)`,
  )
else ask({ do: verb, fqdn, value: txt })
