//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: the measuring needs Linux: epoll for the generator, /proc for CPU and memory")
	os.Exit(1)
}
