// Drives SetNamedProxy with the published zbus client: N callers, each waiting for its answer before it asks again, until M operations
// are done. Prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/threefoldtech/zbus"
)

type nameProxy struct {
	TLSPassthrough bool
	Backends       []string
	Network        *string
	Name           string
}

func main() {
	broker := flag.String("broker", "", "unix:///path of Redis")
	callers := flag.Int("callers", 1, "callers at once")
	operations := flag.Int("operations", 1000, "operations in all")
	warmup := flag.Int("warmup", 0, "operations before the clock starts")
	first := flag.Int("first", 0, "number of the first workload; no two runs may share one")
	status := flag.Bool("status", false, "ask for the status too, twenty times a second, as the health test of a unit does")
	flag.Parse()

	client, err := zbus.NewRedisClient(*broker)
	if err != nil {
		fail(err)
	}
	if *warmup > 0 {
		drive(client, *callers, *warmup, *first)
	}
	over, asked := make(chan struct{}), make(chan []time.Duration, 1)
	if *status {
		go func() { asked <- watch(client, over) }()
	}
	began := time.Now()
	took := drive(client, *callers, *operations, *first+*warmup)
	seconds := time.Since(began).Seconds()
	close(over)

	result := map[string]interface{}{
		"operations": *operations, "seconds": seconds, "perSecond": float64(*operations) / seconds, "ms": figures(took),
	}
	if *status {
		result["statusMs"] = figures(<-asked)
	}
	out, _ := json.Marshal(result)
	fmt.Println(string(out))
}

func figures(took []time.Duration) map[string]float64 {
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	at := func(part float64) float64 { return took[int(part*float64(len(took)-1))].Seconds() * 1000 }
	return map[string]float64{"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1)}
}

// How long each status took until then.
func watch(client zbus.Client, over chan struct{}) (took []time.Duration) {
	for {
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, err := client.Status(ctx, "gateway")
		cancel()
		if err != nil {
			fail(err)
		}
		took = append(took, time.Since(began))
		select {
		case <-over:
			return took
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func drive(client zbus.Client, callers, operations, first int) []time.Duration {
	object := zbus.ObjectID{Name: "manager", Version: "0.0.1"}
	took := make([]time.Duration, operations)
	next := int64(-1)
	var group sync.WaitGroup
	for range make([]struct{}, callers) {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				at := int(atomic.AddInt64(&next, 1))
				if at >= operations {
					return
				}
				n := first + at
				config := nameProxy{Backends: []string{"http://10.20.2.5:9000"}, Name: fmt.Sprintf("b%d", n)}
				began := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				response, err := client.RequestContext(ctx, "gateway", object, "SetNamedProxy", fmt.Sprintf("40-%d-bench", n), config)
				cancel()
				took[at] = time.Since(began)
				if err != nil {
					fail(err)
				}
				if response == nil {
					fail(fmt.Errorf("no answer"))
				}
				if err := response.CallError(); err != nil {
					fail(err)
				}
			}
		}()
	}
	group.Wait()
	return took
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
