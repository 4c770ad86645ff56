// Go: os/exec's Run of /bin/true, in as many goroutines as are to run at once.
//
//	go build -o process_go process_go.go
//	process_go COUNT [AT_ONCE]
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

func argument(i, fallback int) int {
	if len(os.Args) <= i {
		return fallback
	}
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	count, atOnce := argument(1, 1000), argument(2, 1)
	start := time.Now()
	var all sync.WaitGroup
	for w := 0; w < atOnce; w++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < count/atOnce; i++ {
				// The standard descriptors as they are: by default Go opens
				// /dev/null for each.
				command := exec.Command("/bin/true")
				command.Stdin = os.Stdin
				command.Stdout = os.Stdout
				command.Stderr = os.Stderr
				if err := command.Run(); err != nil {
					panic(err)
				}
			}
		}()
	}
	all.Wait()
	fmt.Printf("ns=%d\n", time.Since(start).Nanoseconds()/int64(count))
}
