//go:build tools

// Package tools names what this module is for: the Traefik that the tests run, built from the Go module proxy.
package tools

import _ "github.com/traefik/traefik/v3/cmd/traefik"
