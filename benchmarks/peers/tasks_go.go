// Go: core_paths' paths with goroutines, one thread for Go code.
//
//	go build -o tasks_go tasks_go.go
//	tasks_go PATH COUNT [SIZE]
//
// There is no `await`: a call of a function is a call. `ping_pong` and
// `channel` are between two goroutines that are locked to a thread each, `post`
// from a goroutine on another thread; they take two threads, and wall time.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var random uint64 = 0x9e3779b97f4a7c15

// The sequence that core_paths uses.
func below(end int64) int64 {
	random ^= random << 13
	random ^= random >> 7
	random ^= random << 17
	return int64(random % uint64(end))
}

// Of this process, in seconds.
func cpu() float64 {
	var t syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 2,
		uintptr(unsafe.Pointer(&t)), 0)
	return float64(t.Sec) + float64(t.Nsec)/1e9
}

var began = time.Now()

func wall() float64 { return time.Since(began).Seconds() }

type path struct {
	clock   func() float64
	threads int
	// What lies between start() and its return is timed.
	run func(count, size int64, start func())
}

func resident() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	return pages * 4096
}

func spawnAwait(count, _ int64, start func()) {
	start()
	for i := int64(0); i < count; i++ {
		done := make(chan int64, 1)
		go func(i int64) { done <- i }(i)
		<-done
	}
}

func spawnMany(count, _ int64, start func()) {
	start()
	tasks := make([]chan int64, count)
	for i := range tasks {
		done := make(chan int64, 1)
		tasks[i] = done
		go func() { done <- 1 }()
	}
	for _, done := range tasks {
		<-done
	}
}

// `size` goroutines that each do it count / size times.
func all(count, size int64, start func(), once func()) {
	var group sync.WaitGroup
	start()
	for i := int64(0); i < size; i++ {
		group.Add(1)
		go func() {
			for j := int64(0); j < count/size; j++ {
				once()
			}
			group.Done()
		}()
	}
	group.Wait()
}

func yield(count, size int64, start func()) {
	all(count, size, start, runtime.Gosched)
}

func lock(count, _ int64, start func()) {
	var mutex sync.Mutex
	start()
	for i := int64(0); i < count; i++ {
		mutex.Lock()
		mutex.Unlock()
	}
}

func lockContended(count, size int64, start func()) {
	var mutex sync.Mutex
	all(count, size, start, func() {
		mutex.Lock()
		runtime.Gosched()
		mutex.Unlock()
	})
}

// Go's semaphore is a channel with room for so many.
func semaphore(count, _ int64, start func()) {
	units := make(chan struct{}, 1)
	start()
	for i := int64(0); i < count; i++ {
		units <- struct{}{}
		<-units
	}
}

func semaphoreContended(count, size int64, start func()) {
	units := make(chan struct{}, 10)
	all(count, size, start, func() {
		units <- struct{}{}
		runtime.Gosched()
		<-units
	})
}

func bounce(count int64, left, right chan struct{}) {
	for i := int64(0); i < count; i++ {
		<-left
		right <- struct{}{}
	}
}

func event(count, _ int64, start func()) {
	left, right := make(chan struct{}, 1), make(chan struct{}, 1)
	start()
	go bounce(count/2, left, right)
	for i := int64(0); i < count/2; i++ {
		left <- struct{}{}
		<-right
	}
}

func pingPong(count, _ int64, start func()) {
	left, right := make(chan struct{}, 1), make(chan struct{}, 1)
	runtime.LockOSThread()
	go func() {
		runtime.LockOSThread()
		bounce(count, left, right)
	}()
	start()
	for i := int64(0); i < count; i++ {
		left <- struct{}{}
		<-right
	}
}

// A closed channel wakes all; there is one a round.
func waiters(count, size int64, start func()) {
	gates := make([]chan struct{}, count/size)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	var group sync.WaitGroup
	for i := int64(0); i < size; i++ {
		group.Add(1)
		go func() {
			for _, gate := range gates {
				<-gate
			}
			group.Done()
		}()
	}
	runtime.Gosched()
	start()
	for _, gate := range gates {
		close(gate)
		runtime.Gosched()
	}
	group.Wait()
}

func queueItems(count, size int64, start func()) {
	items := make(chan int64, size+1)
	for i := int64(0); i < size; i++ {
		items <- i
	}
	start()
	for i := int64(0); i < count; i++ {
		items <- <-items
	}
}

func queue(count, size int64, start func()) {
	items := make(chan int64, size)
	start()
	go func() {
		for i := int64(0); i < count; i++ {
			items <- i
		}
		close(items)
	}()
	for range items {
	}
}

func post(count, _ int64, start func()) {
	calls := make(chan func(), 1024)
	left := count
	start()
	go func() {
		runtime.LockOSThread()
		for i := int64(0); i < count; i++ {
			calls <- func() { left-- }
		}
	}()
	for left > 0 {
		(<-calls)()
	}
}

func armed(size int64) []*time.Timer {
	timers := make([]*time.Timer, size)
	for i := range timers {
		timers[i] = time.AfterFunc(
			time.Minute+time.Duration(below(60_000_000_000)), func() {})
	}
	return timers
}

func timer(count, size int64, start func()) {
	others := armed(size)
	start()
	for i := int64(0); i < count; i++ {
		time.AfterFunc(time.Duration(below(60_000_000_000)), func() {}).Stop()
	}
	runtime.KeepAlive(others)
}

func rearm(count, size int64, start func()) {
	timers := armed(size)
	start()
	for i := int64(0); i < count; i++ {
		timers[below(size)].Reset(time.Minute)
	}
}

func sleepers(count, _ int64, _ func()) {
	late := make([]float64, count)
	var group sync.WaitGroup
	group.Add(int(count))
	before := cpu()
	for i := range late {
		delay := time.Duration(below(1_000_000_000))
		go func(l *float64) {
			due := time.Now().Add(delay)
			time.Sleep(delay)
			*l = time.Since(due).Seconds()
			group.Done()
		}(&late[i])
	}
	group.Wait()
	used := cpu() - before
	sort.Float64s(late)
	fmt.Printf("sleepers %d 0 cpu_s=%.3f late_p99_ms=%.3f\n", count, used,
		late[count*99/100]*1e3)
}

func memory(count, _ int64, _ func()) {
	debug.SetGCPercent(-1)
	before := resident()
	for i := int64(0); i < count; i++ {
		go time.Sleep(time.Hour)
	}
	time.Sleep(time.Second)
	fmt.Printf("memory %d 0 bytes=%.1f\n", count,
		(resident()-before)/float64(count))
}

// Each waits for an hour or for its own channel to be closed.
func cancel(count, _ int64, start func()) {
	var group sync.WaitGroup
	group.Add(int(count))
	over := make([]chan struct{}, count)
	for i := range over {
		done := make(chan struct{})
		over[i] = done
		go func() {
			nap := time.NewTimer(time.Hour)
			select {
			case <-nap.C:
			case <-done:
			}
			nap.Stop()
			group.Done()
		}()
	}
	runtime.Gosched()
	start()
	for _, done := range over {
		close(done)
	}
	group.Wait()
}

// The standard descriptors as they are: by default Go opens /dev/null for each.
func runChildren(count int64) {
	for i := int64(0); i < count; i++ {
		command := exec.Command("/bin/true")
		command.Stdin = os.Stdin
		command.Stdout = os.Stdout
		command.Stderr = os.Stderr
		if err := command.Run(); err != nil {
			panic(err)
		}
	}
}

func process(count, size int64, start func()) {
	var group sync.WaitGroup
	group.Add(int(size))
	start()
	for w := int64(0); w < size; w++ {
		go func() {
			runChildren(count / size)
			group.Done()
		}()
	}
	group.Wait()
}

// Between two goroutines that are locked to a thread each, as two loops are.
func channel(count, size int64, start func()) {
	items := make(chan int64, size)
	start()
	go func() {
		runtime.LockOSThread()
		for i := int64(0); i < count; i++ {
			items <- i
		}
		close(items)
	}()
	runtime.LockOSThread()
	for range items {
	}
}

var paths = map[string]path{
	"spawn_await":         {cpu, 1, spawnAwait},
	"spawn_many":          {cpu, 1, spawnMany},
	"yield":               {cpu, 1, yield},
	"timer":               {cpu, 1, timer},
	"rearm":               {cpu, 1, rearm},
	"sleepers":            {nil, 1, sleepers},
	"memory":              {nil, 1, memory},
	"lock":                {cpu, 1, lock},
	"lock_contended":      {cpu, 1, lockContended},
	"semaphore":           {cpu, 1, semaphore},
	"semaphore_contended": {cpu, 1, semaphoreContended},
	"event":               {cpu, 1, event},
	"queue":               {cpu, 1, queue},
	"queue_items":         {cpu, 1, queueItems},
	"waiters":             {cpu, 1, waiters},
	"post":                {wall, 2, post},
	"channel":             {wall, 2, channel},
	"ping_pong":           {wall, 2, pingPong},
	"cancel":              {cpu, 1, cancel},
	"process":             {wall, 2, process},
}

func main() {
	if len(os.Args) < 3 {
		os.Exit(2)
	}
	name := os.Args[1]
	measured, known := paths[name]
	if !known {
		os.Exit(2)
	}
	count, _ := strconv.ParseInt(os.Args[2], 10, 64)
	size := int64(0)
	if len(os.Args) > 3 {
		size, _ = strconv.ParseInt(os.Args[3], 10, 64)
	}
	runtime.GOMAXPROCS(measured.threads)
	started := 0.0
	measured.run(count, size, func() { started = measured.clock() })
	if measured.clock != nil {
		seconds := measured.clock() - started
		fmt.Printf("%s %d %d ns=%.2f\n", name, count, size,
			seconds*1e9/float64(count))
	}
}
