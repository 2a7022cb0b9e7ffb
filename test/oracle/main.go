// Says of every line of its input, a JSON string, what Go's own parsers make of it: the judge of lib/ip.ts and lib/backend.ts.
package main

import (
	"bufio"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
)

type verdict struct {
	// Of the text as an address: its canonical spelling, or "".
	IP string `json:"ip"`
	// Of the text as `ip:port`.
	Pair bool   `json:"pair"`
	Host string `json:"host"`
	Port string `json:"port"`
	// Of the text as a URL: whether it is one with an IP address as its host, and its parts.
	URL     bool   `json:"url"`
	Scheme  string `json:"scheme"`
	URLHost string `json:"urlHost"`
	URLPort string `json:"urlPort"`
	// Whether the URL has user info, a path but `/`, a query, a fragment, an IPv6 address without brackets or an IPv4 address in
	// them: older versions of Go take the latter two, today's refuse them.
	More bool `json:"more"`
}

func canonical(text string) string {
	ip := net.ParseIP(text)
	if ip == nil {
		return ""
	}
	return ip.String()
}

func judge(text string) (v verdict) {
	v.IP = canonical(text)
	if host, port, err := net.SplitHostPort(text); err == nil {
		v.Host = canonical(host)
		number, err := strconv.ParseUint(port, 10, 64)
		v.Pair = v.Host != "" && err == nil && number <= 65535
		v.Port = strconv.FormatUint(number, 10)
	}
	if u, err := url.Parse(text); err == nil {
		v.URLHost = canonical(u.Hostname())
		v.URL = v.URLHost != ""
		v.Scheme = u.Scheme
		v.URLPort = u.Port()
		v.More = u.User != nil || (u.Path != "" && u.Path != "/") || u.RawPath != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
			strings.HasPrefix(u.Host, "[") != strings.Contains(u.Hostname(), ":")
	}
	return
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for in.Scan() {
		var text string
		if err := json.Unmarshal(in.Bytes(), &text); err != nil {
			panic(err)
		}
		if err := encoder.Encode(judge(text)); err != nil {
			panic(err)
		}
	}
}
