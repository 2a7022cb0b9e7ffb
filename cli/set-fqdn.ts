import { set } from './set.ts'
import { verb } from './verb.ts'
import { backendWord, idWord, setFlags } from './wanted.ts'

export default verb({
  about: 'Again with other backends it changes them, with no request failed; again with the same it does nothing.',
  args: {
    id: idWord,
    fqdn: {
      type: 'positional',
      required: true,
      description: 'Host name that resolves to this gateway, such as shop.example.org',
    },
    backend: backendWord,
    ...setFlags,
  },
  repeats: true,
  examples: [
    'gateway set-fqdn 37-2039-shop shop.example.org http://10.20.2.5:9000 http://10.20.2.6:9000',
    'gateway set-fqdn 37-2039-mail mail.example.org 10.20.2.7:443 --passthrough --wait',
  ],
  run: (args, [, , ...backends]) => set('fqdn', args.fqdn, backends, args),
})
