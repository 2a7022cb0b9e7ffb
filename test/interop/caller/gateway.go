package main

import (
	"context"
	"time"

	"github.com/threefoldtech/zbus"
)

// The structs that zos's provision engine sends: what both have is embedded, and lies flat beside the rest on the wire.
type GatewayBase struct {
	TLSPassthrough bool
	Backends       []backend
	Network        *string
}
type backend string
type nameProxy struct {
	GatewayBase
	Name string
}
type fqdnProxy struct {
	GatewayBase
	FQDN string
}
type metrics struct {
	Request  map[string]float64
	Response map[string]float64
}

// A caller as zos generates them: it panics where no answer comes or zbus itself refuses, and decodes the result beside every error.
type stub struct {
	client zbus.Client
	object zbus.ObjectID
}

func (s stub) call(method string, into []interface{}, args ...interface{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := s.client.RequestContext(ctx, "gateway", s.object, method, args...)
	if err != nil {
		panic(err)
	}
	result.PanicOnError()
	callError := result.CallError()
	loader := zbus.Loader(into)
	if err := result.Unmarshal(&loader); err != nil {
		panic(err)
	}
	return callError
}

func (s stub) setName(id string, config nameProxy) (fqdn string, err error) {
	err = s.call("SetNamedProxy", []interface{}{&fqdn}, id, config)
	return
}

func (s stub) setNameByFour(id, name string, backends []string, passthrough bool) (fqdn string, err error) {
	err = s.call("SetNamedProxy", []interface{}{&fqdn}, id, name, backends, passthrough)
	return
}

func (s stub) setFQDN(id string, config fqdnProxy) error {
	return s.call("SetFQDNProxy", nil, id, config)
}

func (s stub) setFQDNByFour(id, fqdn string, backends []string, passthrough bool) error {
	return s.call("SetFQDNProxy", nil, id, fqdn, backends, passthrough)
}

func (s stub) remove(id string) error {
	return s.call("DeleteNamedProxy", nil, id)
}

func (s stub) metrics() (sums metrics, err error) {
	err = s.call("Metrics", []interface{}{&sums})
	return
}
