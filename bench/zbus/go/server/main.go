// A Go zbus server in the shape of the reference gateway: SetNamedProxy checks its input, holds a lock, and writes the route's YAML to a
// file without a sync; one worker unless told otherwise.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/rs/zerolog"
	"github.com/threefoldtech/zbus"
)

type nameProxy struct {
	TLSPassthrough bool
	Backends       []string
	Network        *string
	Name           string
}

type gateway struct {
	root    string
	mutex   sync.Mutex
	domains map[string]string
}

const file = `http:
  routers:
    %[1]s-route:
      rule: Host(%[4]s%[2]s%[4]s)
      service: %[1]s
      tls:
        certResolver: dnsresolver
        domains:
        - sans:
          - '*.bench.example.org'
  services:
    %[1]s:
      loadBalancer:
        servers:
        - url: %[3]s
`

func (g *gateway) SetNamedProxy(id string, config nameProxy) (string, error) {
	if len(config.Backends) == 0 {
		return "", fmt.Errorf("backends list can not be empty")
	}
	for _, backend := range config.Backends {
		parsed, err := url.Parse(backend)
		if err != nil || parsed.Scheme != "http" || net.ParseIP(parsed.Hostname()) == nil {
			return "", fmt.Errorf("failed to validate backend '%s'", backend)
		}
	}
	fqdn := config.Name + ".bench.example.org"
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if _, taken := g.domains[fqdn]; taken {
		return "", fmt.Errorf("domain already registered: %s", fqdn)
	}
	content := fmt.Sprintf(file, id, fqdn, config.Backends[0], "`")
	if err := os.WriteFile(filepath.Join(g.root, id+".yaml"), []byte(content), 0644); err != nil {
		return "", err
	}
	g.domains[fqdn] = id
	return fqdn, nil
}

func main() {
	broker := flag.String("broker", "", "unix:///path of Redis")
	root := flag.String("root", "", "folder of the route files")
	workers := flag.Uint("workers", 1, "operations at once")
	flag.Parse()
	zerolog.SetGlobalLevel(zerolog.ErrorLevel)
	server, err := zbus.NewRedisServer("gateway", *broker, *workers)
	if err == nil {
		id := zbus.ObjectID{Name: "manager", Version: "0.0.1"}
		err = server.Register(id, &gateway{root: *root, domains: map[string]string{}})
	}
	if err == nil {
		fmt.Println("ready")
		err = server.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
