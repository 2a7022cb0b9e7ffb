import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, Env } from './context.ts'

const files: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}
const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>zos-gateway API</title>
<link rel="icon" href="docs/favicon-32x32.png"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>
`
const start = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#ui', deepLinking: true, validatorUrl: null })\n`
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"

/** The description of this API, and a page that shows it: Swagger UI from its package, so nothing comes from elsewhere. Links are relative: it may be mounted. */
export const docs = (app: OpenAPIHono<Env>, { gateway, settings }: Context): void => {
  const securitySchemes = { token: { type: 'http' as const, scheme: 'bearer' } }
  let description: string | undefined
  const held = new Map<string, Uint8Array<ArrayBuffer>>()
  const describe = (): string => {
    const document = app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: { title: 'zos-gateway', version: gateway.status().version },
      servers: [{ url: './' }],
      ...(settings.tokens.length > 0 && { security: [{ token: [] }] }),
    })
    return JSON.stringify({ ...document, components: { ...document.components, securitySchemes } })
  }
  // Anybody may ask for these, so they are made once.
  app.get('/openapi.json', (c) => {
    description ??= describe()
    return c.body(description, 200, { 'content-type': 'application/json' })
  })

  app.get('/docs', (c) => c.html(page, 200, { 'content-security-policy': policy }))
  app.get('/docs/start.js', (c) => c.body(start, 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  app.get('/docs/:file', async (c) => {
    const file = c.req.param('file')
    const type = Object.hasOwn(files, file) ? files[file] : undefined
    if (!type) return c.notFound()
    const folder = fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json')))
    const content = held.get(file) ?? new Uint8Array(await readFile(join(folder, file)))
    held.set(file, content)
    return c.body(content, 200, {
      'content-type': type,
      'cache-control': 'max-age=3600',
    })
  })
}
