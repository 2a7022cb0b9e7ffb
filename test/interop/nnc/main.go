// Does what nnc of a Zero-OS node does: listens where it is started, moves on to another network namespace, and passes each connection on
// to an address in there, both ways and half-closed ends too.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
)

var (
	listen    = flag.String("listen", "", "ip:port")
	namespace = flag.String("namespace", "", "path of the file of a network namespace")
	target    = flag.String("target", "", "ip:port")
	inherited = flag.Bool("inherited", false, "file descriptor 3 listens, and this is the namespace")
)

const setns = 308

func main() {
	flag.Parse()
	if *inherited {
		listener, err := net.FileListener(os.NewFile(3, "listener"))
		must(err)
		for {
			incoming, err := listener.Accept()
			must(err)
			go pass(incoming.(*net.TCPConn))
		}
	}
	move()
}

// The process as a whole is in the namespace of the thread that executes it anew.
func move() {
	runtime.LockOSThread()
	listener, err := net.Listen("tcp", *listen)
	must(err)
	file, err := listener.(*net.TCPListener).File()
	must(err)
	there, err := os.Open(*namespace)
	must(err)
	if _, _, failed := syscall.RawSyscall(setns, there.Fd(), syscall.CLONE_NEWNET, 0); failed != 0 {
		must(failed)
	}
	must(syscall.Dup3(int(file.Fd()), 3, 0))
	must(syscall.Exec("/proc/self/exe", append(os.Args, "--inherited"), os.Environ()))
}

func pass(incoming *net.TCPConn) {
	defer incoming.Close()
	dialed, err := net.Dial("tcp", *target)
	if err != nil {
		return
	}
	outgoing := dialed.(*net.TCPConn)
	defer outgoing.Close()
	done := make(chan bool, 2)
	for _, pair := range [][2]*net.TCPConn{{incoming, outgoing}, {outgoing, incoming}} {
		go func(from, to *net.TCPConn) {
			io.Copy(to, from)
			to.CloseWrite()
			done <- true
		}(pair[0], pair[1])
	}
	<-done
	<-done
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
