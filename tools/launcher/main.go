// The commands of a bundle: starts the JavaScript of its own name with the Node that lies beside it, wherever the bundle is, and puts
// the programs of the bundle first in PATH. Static, so that it needs nothing of the machine, not even a shell.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		fail(err)
	}
	bin := filepath.Dir(self)
	node := filepath.Join(bin, "node")
	script := filepath.Join(bin, "..", "lib", "zos-gateway", "bin", filepath.Base(self)+".js")
	os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	fail(syscall.Exec(node, append([]string{node, script}, os.Args[1:]...), os.Environ()))
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "%s: the bundle is not whole: %v\n", os.Args[0], err)
	os.Exit(69)
}
