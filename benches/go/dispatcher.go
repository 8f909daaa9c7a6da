package main

import "sync"

// A job queue with a dispatcher and a pool of ready workers: a worker checks
// its own channel in, the dispatcher takes one out and sends a job to it. The
// tutorial's has no results; here a job's result goes to a channel. Its wait
// groups are pointers, since copies wait for nothing.
type jobQueue struct {
	internalQueue     chan task
	readyPool         chan chan task
	results           chan result
	workers           []*readyWorker
	dispatcherStopped sync.WaitGroup
	workersStopped    *sync.WaitGroup
	quit              chan bool
}

type readyWorker struct {
	done             *sync.WaitGroup
	readyPool        chan chan task
	assignedJobQueue chan task
	results          chan<- result
	quit             chan bool
}

func startDispatcher(s sizes) pool {
	q := &jobQueue{
		internalQueue:  make(chan task),
		readyPool:      make(chan chan task, s.workers),
		results:        make(chan result, s.queue),
		workersStopped: &sync.WaitGroup{},
		quit:           make(chan bool),
	}
	for i := 0; i < s.workers; i++ {
		worker := &readyWorker{
			done:             q.workersStopped,
			readyPool:        q.readyPool,
			assignedJobQueue: make(chan task),
			results:          q.results,
			quit:             make(chan bool),
		}
		q.workers = append(q.workers, worker)
		worker.start()
	}
	q.dispatcherStopped.Add(1)
	go q.dispatch()
	return q
}

func (q *jobQueue) dispatch() {
	for {
		select {
		case job := <-q.internalQueue:
			workerChannel := <-q.readyPool
			workerChannel <- job
		case <-q.quit:
			for _, worker := range q.workers {
				worker.quit <- true
			}
			q.workersStopped.Wait()
			q.dispatcherStopped.Done()
			return
		}
	}
}

func (w *readyWorker) start() {
	w.done.Add(1)
	go func() {
		defer w.done.Done()
		for {
			w.readyPool <- w.assignedJobQueue
			select {
			case job := <-w.assignedJobQueue:
				w.results <- job.run()
			case <-w.quit:
				return
			}
		}
	}()
}

func (q *jobQueue) submit(job task) { q.internalQueue <- job }

func (q *jobQueue) drive(w *work, jobs uint64, read func(result)) {
	go func() {
		for i := uint64(0); i < jobs; i++ {
			q.submit(w.task(i))
		}
	}()
	for i := uint64(0); i < jobs; i++ {
		read(<-q.results)
	}
}

func (q *jobQueue) stop() {
	q.quit <- true
	q.dispatcherStopped.Wait()
}
