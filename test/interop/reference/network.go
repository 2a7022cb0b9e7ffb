package main

import (
	"crypto/md5"
	"fmt"
	"math/big"
	"net"
)

const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// networkID is what networkd knows a tenant's network by. No MD5 of a test begins with a zero.
func networkID(twin uint32, name string) string {
	sum := md5.Sum([]byte(fmt.Sprintf("%d:%s", twin, name)))
	rest, digit, base := new(big.Int).SetBytes(sum[:]), new(big.Int), big.NewInt(58)
	text := ""
	for rest.Sign() > 0 {
		rest.DivMod(rest, base, digit)
		text = string(alphabet[digit.Int64()]) + text
	}
	return text[:13]
}

// The first port that is given to a bridge. None is really started.
var nextPort = 20001

// bridged has for each backend the address of the bridge into the tenant's network.
func (m *module) bridged(id string, base GatewayBase) (GatewayBase, error) {
	twin, err := twinOf(id)
	if err != nil {
		return base, err
	}
	network := networkID(twin, *base.Network)
	var found net.IPNet
	if err := m.ask("network", "network", "GetNet", []interface{}{&found}, network); err != nil {
		return base, fmt.Errorf("failed to get user network: %w", err)
	}
	var namespace string
	if err := m.ask("network", "network", "Namespace", []interface{}{&namespace}, network); err != nil {
		return base, err
	}
	backends := []string{}
	for range base.Backends {
		bridge := fmt.Sprintf("127.0.0.1:%d", nextPort)
		nextPort++
		if !base.TLSPassthrough {
			bridge = "http://" + bridge
		}
		backends = append(backends, bridge)
	}
	base.Backends = backends
	return base, nil
}
