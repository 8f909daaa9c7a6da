package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A task is a job: 16 bytes, as in Rust.
type task struct {
	index  uint64
	rounds uint32 // how often its index is mixed
	micros uint32 // how long it sleeps before
}

// A result is 16 bytes, as in Rust.
type result struct {
	digest uint64
	failed bool
}

// run is the job: the same arithmetic as in Rust.
//
//go:noinline
func (t task) run() result {
	if t.micros > 0 {
		time.Sleep(time.Duration(t.micros) * time.Microsecond)
	}
	x := t.index
	for i := uint32(0); i < t.rounds; i++ {
		x = mix(x)
	}
	return result{digest: x}
}

// mix is SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// A work makes tasks by their place in the list.
type work struct {
	sizes  []uint32 // rounds; a job takes the one that its index mixes to
	micros uint32
}

func (w *work) task(index uint64) task {
	rounds := w.sizes[0]
	if len(w.sizes) > 1 {
		rounds = w.sizes[mix(index)%uint64(len(w.sizes))]
	}
	return task{index, rounds, w.micros}
}

var errWork = errors.New("not understood")

func parse(text string) (*work, error) {
	kind, size, _ := strings.Cut(text, ":")
	var numbers []uint32
	for _, field := range strings.Split(size, ",") {
		number, err := strconv.ParseUint(field, 10, 32)
		if kind != "noop" && (err != nil || number == 0) {
			return nil, errWork
		}
		numbers = append(numbers, uint32(number))
	}
	switch {
	case text == "noop":
		return &work{sizes: []uint32{1}}, nil
	case kind == "spin" && len(numbers) == 1, kind == "skew":
		return &work{sizes: numbers}, nil
	case kind == "sleep" && len(numbers) == 1:
		return &work{sizes: []uint32{1}, micros: numbers[0]}, nil
	}
	return nil, errWork
}

// A sum is what came back, added up.
type sum struct {
	jobs, failed, digest uint64
}

func (s *sum) add(r result) {
	s.jobs++
	if r.failed {
		s.failed++
		return
	}
	s.digest += r.digest
}

func (s sum) String() string {
	return fmt.Sprintf("%d %d %016x", s.jobs, s.failed, s.digest)
}
