// The workload behind every proxy: answers GETs with as many bytes as their path says (`/64`, `/102400`), with as little work as can be,
// so that what is measured is the proxy.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		go serve(conn)
	}
}

func serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	answers := map[string][]byte{}
	for {
		first, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		path := ""
		if words := bytes.SplitN(first, []byte(" "), 3); len(words) > 1 {
			path = string(words[1])
		}
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(bytes.TrimRight(line, "\r\n")) == 0 {
				break
			}
		}
		answer, ok := answers[path]
		if !ok {
			size := 64
			if asked, err := strconv.Atoi(path[1:]); err == nil && asked >= 0 && asked <= 10<<20 {
				size = asked
			}
			head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
			answer = append([]byte(head), bytes.Repeat([]byte("x"), size)...)
			answers[path] = answer
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
