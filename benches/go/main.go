// The tutorials' worker pools in Go, on the work of the Rust contenders.
//
//	pools -pattern channels -work noop -workers 2 -queue 1024
//
// reads numbers of jobs from standard input, a line each. For each it starts
// a pool, runs so many jobs on it, and prints one line: the nanoseconds that
// took, the processor time the process used meanwhile, and the answer. So
// another program can let it take turns with others. With -jobs and -rounds
// it does so of its own accord.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"
)

// A pool runs the first so many jobs and hands each result to read. The clock
// runs while it does; it does not while it is started and stopped.
type pool interface {
	drive(w *work, jobs uint64, read func(result))
	stop()
}

type sizes struct {
	workers, queue int
}

var patterns = map[string]func(sizes) pool{
	"channels":   startChannels,
	"struct":     startStruct,
	"dispatcher": startDispatcher,
	"semaphore":  startSemaphore,
	"errgroup":   startGroup,
	"slices":     startSlices,
}

func main() {
	pattern := flag.String("pattern", "channels",
		"channels, struct, dispatcher, semaphore, errgroup or slices")
	text := flag.String("work", "noop",
		"noop, spin:ROUNDS, skew:ROUNDS,ROUNDS,... or sleep:MICROSECONDS")
	workers := flag.Int("workers", 2, "most jobs at once")
	queue := flag.Int("queue", 1024, "most jobs that wait")
	jobs := flag.Uint64("jobs", 0, "jobs a round; 0: read from stdin")
	rounds := flag.Int("rounds", 1, "rounds, if jobs are given")
	flag.Parse()

	start, known := patterns[*pattern]
	if !known {
		fail("pattern is %q, allowed are channels, struct, dispatcher, "+
			"semaphore, errgroup and slices", *pattern)
	}
	w, err := parse(*text)
	if err != nil {
		fail("work is %q, allowed are noop, spin:ROUNDS, "+
			"skew:ROUNDS,ROUNDS,... and sleep:MICROSECONDS", *text)
	}
	if *workers < 1 || *queue < 1 {
		fail("workers and queue are %d and %d, allowed is 1 or more",
			*workers, *queue)
	}
	s := sizes{*workers, *queue}
	if *jobs > 0 {
		for i := 0; i < *rounds; i++ {
			round(start, s, w, *jobs)
		}
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			fail("jobs are %q, allowed is a number", lines.Text())
		}
		round(start, s, w, count)
	}
}

func round(start func(sizes) pool, s sizes, w *work, jobs uint64) {
	p := start(s)
	var sum sum
	used := processorTime()
	clock := time.Now()
	p.drive(w, jobs, sum.add)
	wall := time.Since(clock)
	used = processorTime() - used
	p.stop()
	fmt.Println(wall.Nanoseconds(), used.Nanoseconds(), sum)
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(2)
}
