// A module of a node in Go: the published zbus server, with methods of many shapes and a stream of events.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/threefoldtech/zbus"
)

type record struct {
	ID      uint64
	Small   uint32
	Balance int64
	Share   float64
	Name    string
	Tags    []string
	Raw     []byte
	At      time.Time
	Next    *record
}

type shapes struct{}

func (shapes) Nothing() error                   { return nil }
func (shapes) Fails(why string) (string, error) { return "", fmt.Errorf("%s", why) }
func (shapes) Add(a int, b int) (int, error)    { return a + b, nil }
func (shapes) Both(a string) (string, int)      { return a, len(a) }
func (shapes) Echo(r record) (record, error)    { return r, nil }
func (shapes) Slow(ms int) (int, error) {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return ms, nil
}
func (shapes) Sum(first int, rest ...float64) float64 {
	sum := float64(first)
	for _, each := range rest {
		sum += each
	}
	return sum
}
func (shapes) Half(x float32) (float32, error) { return x / 2, nil }
func (shapes) Names() (map[uint32]string, error) {
	return map[uint32]string{7: "seven"}, nil
}
func (shapes) Sizes(sizes map[uint32]string) (int, error) { return len(sizes[7]), nil }
func (shapes) Bytes() (string, error)                     { return "\xff\xfe", nil }

// Ticks counts, faster than anybody needs.
func (shapes) Ticks(ctx context.Context) <-chan record {
	ch := make(chan record)
	go func() {
		defer close(ch)
		for n := uint64(1); ; n++ {
			select {
			case ch <- record{ID: n, Name: "tick"}:
				time.Sleep(10 * time.Millisecond)
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

func main() {
	broker := flag.String("broker", "", "unix:///path")
	listen := flag.Bool("listen", false, "print five events of shapes@1.0.Ticks of the module 'ours' instead")
	flag.Parse()
	if *listen {
		hear(*broker)
		return
	}
	server, err := zbus.NewRedisServer("theirs", *broker, 4)
	must(err)
	must(server.Register(zbus.ObjectID{Name: "shapes", Version: "1.0"}, shapes{}))
	fmt.Println("ready")
	must(server.Run(context.Background()))
}

func hear(broker string) {
	client, err := zbus.NewRedisClient(broker)
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := client.Stream(ctx, "ours", zbus.ObjectID{Name: "shapes", Version: "1.0"}, "Ticks")
	must(err)
	fmt.Println("ready")
	for n := 0; n < 5; n++ {
		var tick record
		event := <-events
		must(event.Unmarshal(&tick))
		fmt.Println(tick.ID, tick.Name)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
