package main

import "sync"

// No workers: a goroutine a job, a token each, taken before it is started.
type semaphore struct {
	tokens  chan struct{}
	results chan result
}

func startSemaphore(s sizes) pool {
	return semaphore{
		make(chan struct{}, s.workers), make(chan result, s.queue),
	}
}

func (s semaphore) drive(w *work, jobs uint64, read func(result)) {
	go func() {
		for i := uint64(0); i < jobs; i++ {
			job := w.task(i)
			s.tokens <- struct{}{}
			go func() {
				defer func() { <-s.tokens }()
				s.results <- job.run()
			}()
		}
	}()
	for i := uint64(0); i < jobs; i++ {
		read(<-s.results)
	}
}

func (s semaphore) stop() {}

// An error group with a limit: it waits for all, keeps the first error, and
// has at most so many goroutines at once.
type group struct {
	wg      sync.WaitGroup
	limit   chan struct{}
	once    sync.Once
	err     error
	results chan result
}

func startGroup(s sizes) pool {
	return &group{
		limit:   make(chan struct{}, s.workers),
		results: make(chan result, s.queue),
	}
}

// spawn waits until there are fewer goroutines than the limit.
func (g *group) spawn(f func() error) {
	g.limit <- struct{}{}
	g.wg.Add(1)
	go func() {
		defer func() {
			<-g.limit
			g.wg.Done()
		}()
		if err := f(); err != nil {
			g.once.Do(func() { g.err = err })
		}
	}()
}

func (g *group) wait() error {
	g.wg.Wait()
	return g.err
}

func (g *group) drive(w *work, jobs uint64, read func(result)) {
	go func() {
		for i := uint64(0); i < jobs; i++ {
			job := w.task(i)
			g.spawn(func() error {
				g.results <- job.run()
				return nil
			})
		}
		if err := g.wait(); err != nil {
			panic(err)
		}
		close(g.results)
	}()
	for r := range g.results {
		read(r)
	}
}

func (g *group) stop() {}
