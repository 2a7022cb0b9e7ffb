// Dials a TLS server, trusting the roots of a file only, once for each name; prints `ok` or why not, a line each.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	pem, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		panic("no root in " + os.Args[1])
	}
	for _, name := range os.Args[3:] {
		connection, err := tls.Dial("tcp", os.Args[2], &tls.Config{RootCAs: roots, ServerName: name})
		if err != nil {
			fmt.Println(err)
			continue
		}
		connection.Close()
		fmt.Println("ok")
	}
}
