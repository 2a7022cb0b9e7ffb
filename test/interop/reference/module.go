package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/threefoldtech/zbus"
)

// What provisiond sends.
type GatewayBase struct {
	TLSPassthrough bool
	Backends       []string
	Network        *string
}
type NameProxy struct {
	GatewayBase
	Name string
}
type FQDNProxy struct {
	GatewayBase
	FQDN string
}
type metrics struct {
	Request  map[string]float64
	Response map[string]float64
}

type module struct {
	client  zbus.Client
	domains map[string]string
}

type publicConfig struct {
	Type   string
	IPv4   net.IPNet
	IPv6   net.IPNet
	GW4    net.IP
	GW6    net.IP
	Domain string
}
type chainError struct {
	Err  *string
	Code int
}
type contract struct {
	State struct {
		IsCreated     bool
		IsGracePeriod bool
	}
	TwinID uint32
}

func (m *module) ask(name string, object, method string, into []interface{}, args ...interface{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := m.client.RequestContext(ctx, name, zbus.ObjectID{Name: object, Version: "0.0.1"}, method, args...)
	if err != nil {
		return err
	}
	if answer == nil {
		return fmt.Errorf("%s does not answer", name)
	}
	if err := answer.CallError(); err != nil {
		return err
	}
	loader := zbus.Loader(into)
	return answer.Unmarshal(&loader)
}

func (m *module) config() (config publicConfig, err error) {
	if err := m.ask("network", "network", "GetPublicConfig", []interface{}{&config}); err != nil {
		return config, fmt.Errorf("gateway is not supported on this node: %w", err)
	}
	return config, nil
}

func (m *module) holds(name string, twin uint32) error {
	var id uint64
	var failed chainError
	if err := m.ask("api-gateway", "api-gateway", "GetContractIDByNameRegistration", []interface{}{&id, &failed}, name); err != nil {
		return err
	}
	if failed.Code == 1 {
		return fmt.Errorf("a name contract with the given name must be reserved first")
	} else if failed.Code != 0 {
		return fmt.Errorf("the chain answers %d", failed.Code)
	}
	var found contract
	if err := m.ask("api-gateway", "api-gateway", "GetContract", []interface{}{&found, &failed}, id); err != nil {
		return err
	}
	if failed.Code != 0 {
		return fmt.Errorf("the chain answers %d", failed.Code)
	}
	if !found.State.IsCreated && !found.State.IsGracePeriod {
		return fmt.Errorf("the name contract must be in Created or GracePeriod state")
	}
	if found.TwinID != twin {
		return fmt.Errorf("twin id mismatch")
	}
	return nil
}

func twinOf(id string) (uint32, error) {
	parts := strings.SplitN(id, "-", 3)
	twin, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil || len(parts) != 3 {
		return 0, fmt.Errorf("invalid workload id: %s", id)
	}
	return uint32(twin), nil
}

func (m *module) SetNamedProxy(id string, config NameProxy) (string, error) {
	if len(config.Backends) == 0 {
		return "", fmt.Errorf("at least one backend is needed got '0'")
	}
	twin, err := twinOf(id)
	if err != nil {
		return "", err
	}
	node, err := m.config()
	if err != nil {
		return "", err
	}
	if node.Domain == "" {
		return "", fmt.Errorf("node doesn't support name proxy (doesn't have a domain)")
	}
	if err := m.holds(config.Name, twin); err != nil {
		return "", fmt.Errorf("failed to verify name contract: %w", err)
	}
	host := config.Name + "." + node.Domain
	tls := tlsConfig{CertResolver: "dnsresolver", Domains: []domain{{Sans: []string{"*." + node.Domain}}}}
	return host, m.route(id, host, tls, config.GatewayBase, node)
}

func (m *module) SetFQDNProxy(id string, config FQDNProxy) error {
	if len(config.Backends) == 0 {
		return fmt.Errorf("at least one backend is needed got '0'")
	}
	node, err := m.config()
	if err != nil {
		return err
	}
	if node.Domain != "" && strings.HasSuffix(config.FQDN, node.Domain) {
		return fmt.Errorf("can't create a fqdn workload with a subdomain of the gateway's managed domain")
	}
	lookup := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, *resolver)
	}}
	found, err := lookup.LookupHost(context.Background(), config.FQDN)
	if err != nil {
		return fmt.Errorf("failed to verify domain dns record: %w", err)
	}
	for _, ip := range found {
		if ip == node.IPv4.IP.String() || ip == node.IPv6.IP.String() {
			return m.route(id, config.FQDN, tlsConfig{CertResolver: "resolver", Domains: []domain{{Main: config.FQDN}}}, config.GatewayBase, node)
		}
	}
	return fmt.Errorf("failed to verify domain dns record: host doesn't point to the gateway ip")
}

func (m *module) route(id, host string, tls tlsConfig, base GatewayBase, node publicConfig) error {
	for _, each := range base.Backends {
		if err := valid(each, base.TLSPassthrough); err != nil {
			return fmt.Errorf("1 error occurred:\n\t* failed to validate backend '%s': %w\n\n", each, err)
		}
	}
	if _, taken := m.domains[host]; taken {
		return fmt.Errorf("domain already registered: %s", host)
	}
	if base.Network != nil {
		bridged, err := m.bridged(id, base)
		if err != nil {
			return err
		}
		base = bridged
	}
	if err := write(filepath.Join(*volatile, "proxy"), id, host, tls, base); err != nil {
		return err
	}
	m.domains[host] = id
	return nil
}

func valid(backend string, passthrough bool) error {
	if passthrough {
		host, _, err := net.SplitHostPort(backend)
		if err != nil || net.ParseIP(host) == nil {
			return fmt.Errorf("failed to parse backend %s with error: invalid ip", backend)
		}
		return nil
	}
	u, err := url.Parse(backend)
	if err != nil || u.Scheme != "http" {
		return fmt.Errorf("scheme expected to be http")
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || ip.IsLoopback() {
		return fmt.Errorf("invalid ip address in backend: %s", u.Hostname())
	}
	return nil
}

func (m *module) DeleteNamedProxy(id string) error {
	path := filepath.Join(*volatile, "proxy", id+".yaml")
	_, host, err := read(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	delete(m.domains, host)
	return nil
}

func (m *module) Metrics() (metrics, error) { return metrics{}, nil }
