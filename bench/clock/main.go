// Times what a caller sees: a route is set over an API, then its host is asked for, by turns over a connection that is open already and
// by a client that never was there, with a full TLS handshake. Reads a plan from stdin and writes the samples, in milliseconds, to
// stdout. Costs little itself, so that what is timed is the server.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type plan struct {
	// How a route is set; `{n}` is replaced by its number.
	Method, URL, Body string
	Headers           map[string]string
	// A unix socket to speak to instead of the URL's host.
	Socket string
	// The port that serves over TLS, the one that serves in the clear (0: none), and the name that route `n` gets there.
	Port, Plain int
	Host        string
	// A name of the first hundred that were there before; empty: no such requests.
	Standing string
	// Where the disk's own time is taken; empty: it is not.
	Folder        string
	WarmUp, Times int
}

type samples struct {
	// From the Set to the answer, over the open connection and over a new one.
	Kept     []float64 `json:"kept"`
	Fresh    []float64 `json:"fresh"`
	Set      []float64 `json:"set"`
	Standing []float64 `json:"standing"`
	Sync     []float64 `json:"sync"`
}

func main() {
	var given plan
	check(json.NewDecoder(os.Stdin).Decode(&given))
	// Its own garbage is collected between the operations.
	debug.SetGCPercent(-1)
	to, err := url.Parse(given.URL)
	check(err)
	setting := &caller{socket: given.Socket, host: to.Host}
	probe := openProbe(given.Folder)
	var kept *connection
	if given.Plain != 0 {
		raw, err := dial(given.Plain)
		check(err)
		kept = &connection{raw, bufio.NewReader(raw)}
	}
	var all samples
	for n := -given.WarmUp; n < given.Times; n++ {
		name := "s" + strconv.Itoa(n)
		if n < 0 {
			name = "x" + strconv.Itoa(-n)
		}
		host := strings.ReplaceAll(given.Host, "{n}", name)
		request := setOf(given, name)
		if n%20 == 0 {
			runtime.GC()
		}
		began := time.Now()
		setting.ask(request)
		answered := time.Now()
		overKept := kept != nil && n%2 == 0
		if overKept {
			kept.conn.SetDeadline(time.Now().Add(10 * time.Second))
			check(kept.get(host))
		} else {
			untilServed(given.Port, host)
		}
		served := time.Now()
		var standing, synced time.Duration
		if given.Standing != "" {
			check(get(given.Port, strings.ReplaceAll(given.Standing, "{n}", strconv.Itoa((n+given.WarmUp)%100))))
			standing = time.Since(served)
		}
		if probe != nil {
			synced = syncOnce(probe)
		}
		if n < 0 {
			continue
		}
		if overKept {
			all.Kept = append(all.Kept, ms(served.Sub(began)))
		} else {
			all.Fresh = append(all.Fresh, ms(served.Sub(began)))
		}
		all.Set = append(all.Set, ms(answered.Sub(began)))
		all.Standing = append(all.Standing, ms(standing))
		all.Sync = append(all.Sync, ms(synced))
	}
	if probe != nil {
		probe.Close()
		os.Remove(probe.Name())
	}
	check(json.NewEncoder(os.Stdout).Encode(all))
}

func setOf(given plan, name string) []byte {
	fill := strings.NewReplacer("{n}", name)
	request, err := http.NewRequest(given.Method, fill.Replace(given.URL), strings.NewReader(fill.Replace(given.Body)))
	check(err)
	for key, value := range given.Headers {
		request.Header.Set(key, value)
	}
	var text bytes.Buffer
	check(request.Write(&text))
	return text.Bytes()
}

// Asks over one connection as long as the server keeps it; the one goroutine waits for the answer itself.
type caller struct {
	socket, host string
	open         *connection
}

func (c *caller) ask(request []byte) {
	kept := c.open != nil
	answer, err := c.try(request)
	if err != nil && kept {
		// The server closed it behind its last answer.
		c.close()
		answer, err = c.try(request)
	}
	check(err)
	text, err := io.ReadAll(answer.Body)
	check(err)
	if answer.StatusCode >= 300 {
		check(fmt.Errorf("%s: %d %s", strings.SplitN(string(request), "\r\n", 2)[0], answer.StatusCode, text))
	}
	if answer.Close {
		c.close()
	}
}

func (c *caller) close() {
	c.open.conn.Close()
	c.open = nil
}

func (c *caller) try(request []byte) (*http.Response, error) {
	if c.open == nil {
		network, address := "tcp", c.host
		if c.socket != "" {
			network, address = "unix", c.socket
		}
		raw, err := net.DialTimeout(network, address, 10*time.Second)
		check(err)
		c.open = &connection{raw, bufio.NewReader(raw)}
	}
	c.open.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.open.conn.Write(request); err != nil {
		return nil, err
	}
	return http.ReadResponse(c.open.reader, nil)
}

// A proxy may answer that it has a route before it serves it.
func untilServed(port int, host string) {
	for began := time.Now(); ; {
		err := get(port, host)
		if err == nil {
			return
		}
		if time.Since(began) > time.Minute {
			check(fmt.Errorf("%s is not served: %w", host, err))
		}
	}
}

type connection struct {
	conn   net.Conn
	reader *bufio.Reader
}

func (c *connection) get(host string) error {
	if _, err := fmt.Fprintf(c.conn, "GET /64 HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != 200 {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// One GET of a client that never was there.
func get(port int, host string) error {
	raw, err := dial(port)
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	return (&connection{conn, bufio.NewReader(conn)}).get(host)
}

func dial(port int) (net.Conn, error) {
	return net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 10*time.Second)
}

func openProbe(folder string) *os.File {
	if folder == "" {
		return nil
	}
	file, err := os.Create(filepath.Join(folder, "sync-probe"))
	check(err)
	return file
}

// A file that grows by a small record and is synced, as a store's log is.
func syncOnce(file *os.File) time.Duration {
	began := time.Now()
	_, err := file.Write(make([]byte, 300))
	check(err)
	check(syscall.Fdatasync(int(file.Fd())))
	return time.Since(began)
}

func ms(took time.Duration) float64 { return float64(took.Nanoseconds()) / 1e6 }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
