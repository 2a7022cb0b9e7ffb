//go:build tools

// Package tools names what this module is for: the Traefik 2.9.9 of nodes that the tests move over from, built from the Go module proxy.
package tools

import _ "github.com/traefik/traefik/v2/cmd/traefik"
