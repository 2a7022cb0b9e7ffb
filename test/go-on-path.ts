import { delimiter } from 'node:path'

// Go's own page has it installed there; a shell that is older than that does not know. The set-up takes it from there too.
process.env.PATH = [process.env.PATH, '/usr/local/go/bin'].join(delimiter)
