// Go: the echo server, a goroutine a connection, one thread for Go code.
//
//	go build -o echo_go echo_go.go
//	echo_go [accept]
package main

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"time"
)

func serve(connection net.Conn) {
	buffer := make([]byte, 65536)
	for {
		size, err := connection.Read(buffer)
		if err != nil {
			break
		}
		if _, err = connection.Write(buffer[:size]); err != nil {
			break
		}
	}
	connection.Close()
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	time.AfterFunc(10*time.Minute, func() { os.Exit(0) })
	closes := len(os.Args) > 1 && os.Args[1] == "accept"
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		if closes {
			connection.Close()
			continue
		}
		go serve(connection)
	}
}
