// Fetches a URL over HTTP/2 with Go's client, in pieces of 4 KiB, trusting the roots of a file only; prints the protocol and how many bytes came.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	pem, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, os.Args[2])
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext:       dial,
		ForceAttemptHTTP2: true,
	}}
	answer, err := client.Get(os.Args[3])
	if err != nil {
		fmt.Println(err)
		return
	}
	total, piece := 0, make([]byte, 4096)
	for {
		count, err := answer.Body.Read(piece)
		total += count
		if err != nil {
			fmt.Println(answer.Proto, total, err)
			return
		}
	}
}
