package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v2"
)

// The shape of a route file. Keys without a tag come out in lower case, as Go's YAML package has it.
type proxyConfig struct {
	HTTP *routing `yaml:"http,omitempty"`
	TCP  *routing `yaml:"tcp,omitempty"`
}
type routing struct {
	Routers  map[string]router
	Services map[string]service
}
type router struct {
	Rule    string
	Service string
	TLS     *tlsConfig `yaml:"tls,omitempty"`
}
type tlsConfig struct {
	CertResolver string   `yaml:"certResolver,omitempty"`
	Domains      []domain `yaml:"domains,omitempty"`
	Passthrough  string   `yaml:"passthrough,omitempty"`
}
type domain struct {
	Sans []string `yaml:"sans,omitempty"`
	Main string   `yaml:"main,omitempty"`
}
type service struct {
	LoadBalancer struct {
		Servers []server
	}
}
type server struct {
	URL     string `yaml:"url,omitempty"`
	Address string `yaml:"address,omitempty"`
}

var rule = regexp.MustCompile("^Host(?:SNI)?\\(`([^`]+)`\\)$")

// read returns whom a file serves, and which domain. Strict: a key that none of the structs has is an error.
func read(path string) (id, host string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	var config proxyConfig
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return "", "", err
	}
	part := config.TCP
	if part == nil {
		part = config.HTTP
	}
	if part == nil || len(part.Routers) != 1 {
		return "", "", fmt.Errorf("it has not one router of http or tcp")
	}
	for name, one := range part.Routers {
		match := rule.FindStringSubmatch(one.Rule)
		if match == nil {
			return "", "", fmt.Errorf("its rule is %q", one.Rule)
		}
		if name != one.Service+"-route" || len(part.Services[one.Service].LoadBalancer.Servers) == 0 {
			return "", "", fmt.Errorf("router %q has no servers", name)
		}
		id, host = one.Service, match[1]
	}
	return id, host, nil
}

func load(dir string) (domains map[string]string, refused []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	domains, refused = map[string]string{}, []string{}
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), ".yaml") {
			continue
		}
		id, host, err := read(filepath.Join(dir, entry.Name()))
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s: %s", entry.Name(), err))
			continue
		}
		domains[host] = id
	}
	return domains, refused, nil
}

// migrate moves what lies in the persistent folder to the volatile one, over what is there.
func migrate(from, to string) error {
	entries, err := os.ReadDir(from)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, entry.Name()), text, 0644); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(from, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func write(dir, id, host string, tls tlsConfig, base GatewayBase) error {
	kind := "Host"
	if base.TLSPassthrough {
		kind = "HostSNI"
		tls = tlsConfig{Passthrough: "true"}
	}
	var balancer service
	for _, each := range base.Backends {
		if base.TLSPassthrough {
			balancer.LoadBalancer.Servers = append(balancer.LoadBalancer.Servers, server{Address: each})
		} else {
			balancer.LoadBalancer.Servers = append(balancer.LoadBalancer.Servers, server{URL: each})
		}
	}
	part := &routing{
		Routers:  map[string]router{id + "-route": {Rule: fmt.Sprintf("%s(`%s`)", kind, host), Service: id, TLS: &tls}},
		Services: map[string]service{id: balancer},
	}
	config := proxyConfig{HTTP: part}
	if base.TLSPassthrough {
		config = proxyConfig{TCP: part}
	}
	text, err := yaml.Marshal(&config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, id+".yaml"), text, 0644)
}
