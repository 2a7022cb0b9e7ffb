// The health test of a node's units, as they name it: ends with 0 where the module says its status within 3 s.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/threefoldtech/zbus"
)

func main() {
	broker := flag.String("broker", "unix:///var/run/redis.sock", "")
	module := flag.String("module", "", "")
	flag.Parse()
	client, err := zbus.NewRedisClient(*broker)
	end(err)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	status, err := client.Status(ctx, *module)
	end(err)
	fmt.Printf("%d objects, %d workers\n", len(status.Objects), len(status.Workers))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
