import { getRequestListener, RequestError } from '@hono/node-server'
import { badRequest, problem } from './problem.ts'

/** Turns requests of node:http into those of fetch, and answers what cannot be turned. */
export const listener = (answer: (request: Request) => Promise<Response>) =>
  getRequestListener(answer, {
    overrideGlobalObjects: false,
    errorHandler: (error) =>
      problem(
        error instanceof RequestError
          ? badRequest(`the request is malformed: ${error.message}`, 'send well-formed HTTP/1.1')
          : error,
      ),
  })
