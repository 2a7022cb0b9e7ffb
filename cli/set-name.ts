import { set } from './set.ts'
import { verb } from './verb.ts'
import { backendWord, idWord, setFlags } from './wanted.ts'

export default verb({
  about: 'Again with other backends it changes them, with no request failed; again with the same it does nothing.',
  args: {
    id: idWord,
    name: { type: 'positional', required: true, description: "One label under the gateway's domain, such as shop" },
    backend: backendWord,
    ...setFlags,
  },
  repeats: true,
  examples: [
    'gateway set-name 40-1976-shop shop http://10.20.2.5:9000',
    'gateway set-name 1-1-hello hello http://127.0.0.1:9000 --wait --json',
  ],
  run: (args, [, , ...backends]) => set('name', args.name, backends, args),
})
