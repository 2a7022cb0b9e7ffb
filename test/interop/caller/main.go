// Calls a gateway with the published zbus client, as the other modules of a node do, and prints what it got as one line of JSON.
// A panic, which is how zos's callers take a wrong answer, ends it with an error.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/threefoldtech/zbus"
)

var (
	broker  = flag.String("broker", "", "unix:///path or tcp://[password@]host:port")
	socket  = flag.String("socket", "", "path of the broker's unix socket, for what no zbus client would send")
	object  = flag.String("object", "manager", "manager or gateway")
	callers = flag.Int("callers", 16, "callers at once")
	each    = flag.Int("each", 20, "operations of each caller")
)

func main() {
	flag.Parse()
	client, err := zbus.NewRedisClient(*broker)
	must(err)
	s := stub{client, zbus.ObjectID{Name: *object, Version: "0.0.1"}}
	cases := map[string]func(stub) interface{}{
		"forms": forms, "refusals": refusals, "status": status, "crowd": crowd, "malformed": malformed, "patient": patient, "deployed": deployed, "health": health, "press": press,
	}
	run, known := cases[flag.Arg(0)]
	if !known {
		must(fmt.Errorf("no case '%s'", flag.Arg(0)))
	}
	out, err := json.Marshal(run(s))
	must(err)
	fmt.Println(string(out))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every method in both forms.
func forms(s stub) interface{} {
	http := GatewayBase{Backends: []backend{"http://10.1.2.3:9000", "http://10.1.2.4"}}
	first, err := s.setName("40-1976-one", nameProxy{GatewayBase: http, Name: "one"})
	must(err)
	second, err := s.setNameByFour("40-1976-two", "two", []string{"http://10.1.2.3"}, false)
	must(err)
	must(s.setFQDN("37-2039-three", fqdnProxy{GatewayBase: GatewayBase{TLSPassthrough: true, Backends: []backend{"10.1.2.3:443"}}, FQDN: "three.org"}))
	must(s.setFQDNByFour("37-2039-four", "four.org", []string{"https://10.1.2.3:443"}, true))
	must(s.remove("37-2039-four"))
	must(s.remove("never-set"))
	sums, err := s.metrics()
	must(err)
	return map[string]interface{}{"names": []string{first, second}, "metrics": sums}
}

// What is wrong comes back as an error of the call, never as a panic.
func refusals(s stub) interface{} {
	_, noBackends := s.setName("40-1976-w", nameProxy{Name: "w"})
	_, wrongCount := "", s.call("SetNamedProxy", []interface{}{new(string)}, "w")
	wrongType := s.call("DeleteNamedProxy", nil, 5)
	wrongList := s.call("SetNamedProxy", []interface{}{new(string)}, "w", "p", "notalist", false)
	wrongStruct := s.setFQDN("37-2039-w", fqdnProxy{GatewayBase: GatewayBase{Backends: []backend{"10.1.2.3:443"}}, FQDN: "a b"})
	tooMany := s.call("Metrics", []interface{}{&metrics{}}, 1, 2)
	return []string{text(noBackends), text(wrongCount), text(wrongType), text(wrongList), text(wrongStruct), text(tooMany)}
}

func status(s stub) interface{} {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := s.client.Status(ctx, "gateway")
	must(err)
	return got
}

// What zbusdebug asks as the health test of a unit, while callers keep the gateway busy. The limit is for a busy machine.
func health(s stub) interface{} {
	over := make(chan bool)
	go func() {
		crowd(s)
		close(over)
	}()
	passed, failed, slowest := 0, []string{}, time.Duration(0)
	for {
		select {
		case <-over:
			return map[string]interface{}{"passed": passed, "failed": failed, "slowestMs": slowest.Milliseconds()}
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		asked := time.Now()
		if _, err := s.client.Status(ctx, "gateway"); err != nil {
			failed = append(failed, err.Error())
		} else {
			passed++
			if took := time.Since(asked); took > slowest {
				slowest = took
			}
		}
		cancel()
	}
}

// Callers that ask for as much as they can, whatever they are answered, until they are ended.
func press(s stub) interface{} {
	fmt.Println("asking")
	gather(func(caller int) []string {
		for n := 0; ; n++ {
			_, _ = attempt(s, fmt.Sprintf("%d-%d-q", caller+1, n%100), fmt.Sprintf("q%d-%d", caller, n%100))
		}
	})
	return nil
}

// Many callers at once, each setting workloads of its own and deleting every second one.
func crowd(s stub) interface{} {
	return gather(func(caller int) (fqdns []string) {
		for n := 0; n < *each; n++ {
			id := fmt.Sprintf("%d-%d-w", caller+1, n)
			fqdn, err := s.setName(id, nameProxy{GatewayBase: GatewayBase{Backends: []backend{"http://10.1.2.3"}}, Name: fmt.Sprintf("c%d-%d", caller, n)})
			must(err)
			if n%2 == 1 {
				must(s.remove(id))
			} else {
				fqdns = append(fqdns, fqdn)
			}
		}
		return
	})
}

// Callers that ask again when the broker went away under them: their client then hands them a nil answer.
func patient(s stub) interface{} {
	fmt.Println("asking")
	retries := 0
	var mutex sync.Mutex
	fqdns := gather(func(caller int) (fqdns []string) {
		for n := 0; n < *each; n++ {
			for {
				fqdn, err := attempt(s, fmt.Sprintf("%d-%d-p", caller+1, n), fmt.Sprintf("p%d-%d", caller, n))
				if err == nil {
					fqdns = append(fqdns, fqdn)
					break
				}
				mutex.Lock()
				retries++
				mutex.Unlock()
				time.Sleep(50 * time.Millisecond)
			}
		}
		return
	})
	return map[string]interface{}{"retries": retries, "names": fqdns}
}

func attempt(s stub, id, name string) (fqdn string, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("%v", thrown)
		}
	}()
	return s.setName(id, nameProxy{GatewayBase: GatewayBase{Backends: []backend{"http://10.1.2.3"}}, Name: name})
}

func gather(work func(caller int) []string) []string {
	var group sync.WaitGroup
	parts := make([][]string, *callers)
	for caller := range parts {
		group.Add(1)
		go func(caller int) {
			defer group.Done()
			parts[caller] = work(caller)
		}(caller)
	}
	group.Wait()
	all := []string{}
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// What no client would send, pushed raw; then a proper call, which must be answered as ever.
func malformed(s stub) interface{} {
	con, err := redis.Dial("unix", *socket)
	must(err)
	defer con.Close()
	queue := fmt.Sprintf("gateway.%s", s.object)
	for _, raw := range []string{"", "\xc1", "not msgpack", "\xdd\xff\xff\xff\xff", "\x85\xa2ID", "\x80", "\x93\x01\x02\x03"} {
		_, err := con.Do("RPUSH", queue, raw)
		must(err)
	}
	request, err := zbus.NewRequest("id-1", "reply-1", s.object, "DeleteNamedProxy", "w")
	must(err)
	payload, err := request.Encode()
	must(err)
	_, err = con.Do("RPUSH", queue, append(payload, 0xc0))
	must(err)
	popped, err := redis.ByteSlices(con.Do("BLPOP", "reply-1", 10))
	must(err)
	response, err := zbus.LoadResponse(popped[1])
	must(err)
	fqdn, err := s.setName("40-1976-after", nameProxy{GatewayBase: GatewayBase{Backends: []backend{"http://10.1.2.3"}}, Name: "after"})
	must(err)
	return map[string]interface{}{"id": response.ID, "trailing": text(response.CallError()), "after": fqdn}
}

// One call of a provision engine, as the second argument describes it in JSON.
type deployment struct {
	Do          string
	ID          string
	Host        string
	Backends    []backend
	Passthrough bool
	Network     *string
}

// Makes the calls in order, and says what each was answered.
func deployed(s stub) interface{} {
	var calls []deployment
	must(json.Unmarshal([]byte(flag.Arg(1)), &calls))
	answers := []interface{}{}
	for _, c := range calls {
		base := GatewayBase{TLSPassthrough: c.Passthrough, Backends: c.Backends, Network: c.Network}
		answer := map[string]interface{}{}
		var err error
		switch c.Do {
		case "set-name":
			answer["fqdn"], err = s.setName(c.ID, nameProxy{GatewayBase: base, Name: c.Host})
		case "set-fqdn":
			err = s.setFQDN(c.ID, fqdnProxy{GatewayBase: base, FQDN: c.Host})
		case "delete":
			err = s.remove(c.ID)
		case "metrics":
			answer["metrics"], err = s.metrics()
		}
		answer["error"] = text(err)
		answers = append(answers, answer)
	}
	return answers
}
