package main

import "sync"

// A struct that holds the channels and a wait group: start the workers, submit
// in a goroutine, collect in another, wait for the workers, close the results,
// wait for the collector. Its end is part of what it does, so it is part of
// what is measured.
type workerPool struct {
	workers int
	jobs    chan task
	results chan result
	wg      sync.WaitGroup
}

func startStruct(s sizes) pool {
	wp := &workerPool{
		workers: s.workers,
		jobs:    make(chan task, s.queue),
		results: make(chan result, s.queue),
	}
	wp.startWorkers()
	return wp
}

func (wp *workerPool) startWorkers() {
	for i := 0; i < wp.workers; i++ {
		wp.wg.Add(1)
		go wp.startWorker()
	}
}

func (wp *workerPool) startWorker() {
	defer wp.wg.Done()
	for job := range wp.jobs {
		wp.results <- job.run()
	}
}

func (wp *workerPool) submitJobs(w *work, jobs uint64) {
	for i := uint64(0); i < jobs; i++ {
		wp.jobs <- w.task(i)
	}
	close(wp.jobs)
}

func (wp *workerPool) collect(wg *sync.WaitGroup, read func(result)) {
	defer wg.Done()
	for r := range wp.results {
		read(r)
	}
}

func (wp *workerPool) drive(w *work, jobs uint64, read func(result)) {
	var wg sync.WaitGroup
	go wp.submitJobs(w, jobs)
	wg.Add(1)
	go wp.collect(&wg, read)
	wp.wg.Wait()
	close(wp.results)
	wg.Wait()
}

func (wp *workerPool) stop() {}
