// Stands where the Go gateway module of a node does: its queue, its questions to networkd and the chain, its order of checks, its sentences
// and its route files, written and read with structs of the same shape. Nothing is served from them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/threefoldtech/zbus"
)

var (
	broker   = flag.String("broker", "", "unix:///path")
	root     = flag.String("root", "", "the module's persistent folder")
	volatile = flag.String("volatile", "", "the module's volatile folder")
	resolver = flag.String("resolver", "8.8.8.8:53", "the name server that domains are asked of")
	check    = flag.Bool("check", false, "start only: migrate, load, and print the domains as JSON, with what could not be loaded")
)

func main() {
	flag.Parse()
	must(os.MkdirAll(filepath.Join(*volatile, "proxy"), 0755))
	must(migrate(filepath.Join(*root, "proxy"), filepath.Join(*volatile, "proxy")))
	domains, refused, err := load(filepath.Join(*volatile, "proxy"))
	must(err)
	if *check {
		out, err := json.Marshal(map[string]interface{}{"domains": domains, "refused": refused})
		must(err)
		fmt.Println(string(out))
		return
	}
	client, err := zbus.NewRedisClient(*broker)
	must(err)
	server, err := zbus.NewRedisServer("gateway", *broker, 1)
	must(err)
	must(server.Register(zbus.ObjectID{Name: "manager", Version: "0.0.1"}, &module{client: client, domains: domains}))
	fmt.Println("ready")
	must(server.Run(context.Background()))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
