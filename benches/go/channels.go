package main

// Workers range over a channel of jobs and send to a channel of results: the
// tutorial's `worker`. There both channels have room for all jobs; here they
// are as long as the queue, so jobs are sent from a goroutine of their own.
type channels struct {
	jobs    chan task
	results chan result
}

func startChannels(s sizes) pool {
	c := channels{make(chan task, s.queue), make(chan result, s.queue)}
	for id := 0; id < s.workers; id++ {
		go worker(c.jobs, c.results)
	}
	return c
}

func worker(jobs <-chan task, results chan<- result) {
	for j := range jobs {
		results <- j.run()
	}
}

func (c channels) drive(w *work, jobs uint64, read func(result)) {
	go func() {
		for i := uint64(0); i < jobs; i++ {
			c.jobs <- w.task(i)
		}
	}()
	for i := uint64(0); i < jobs; i++ {
		read(<-c.results)
	}
}

func (c channels) stop() { close(c.jobs) }

// The same with slices of 256 jobs, which come back filled with results and
// are used again: what batches give in Go.
type slices struct {
	jobs    chan []task
	results chan batch
	spare   chan batch
}

type batch struct {
	tasks   []task
	results []result
}

const batchSize = 256

func startSlices(s sizes) pool {
	slots := max(s.queue/batchSize, 2)
	p := slices{
		make(chan []task, slots), make(chan batch, slots),
		make(chan batch, 2*slots+s.workers),
	}
	for id := 0; id < s.workers; id++ {
		go func() {
			for tasks := range p.jobs {
				b := p.fresh()
				for _, t := range tasks {
					b.results = append(b.results, t.run())
				}
				p.results <- batch{tasks, b.results}
			}
		}()
	}
	return p
}

// fresh is a batch without jobs and results, with room for them.
func (p slices) fresh() batch {
	select {
	case b := <-p.spare:
		return batch{b.tasks[:0], b.results[:0]}
	default:
		return batch{
			make([]task, 0, batchSize), make([]result, 0, batchSize),
		}
	}
}

func (p slices) drive(w *work, jobs uint64, read func(result)) {
	go func() {
		for i := uint64(0); i < jobs; {
			b := p.fresh()
			for ; i < jobs && len(b.tasks) < batchSize; i++ {
				b.tasks = append(b.tasks, w.task(i))
			}
			p.jobs <- b.tasks
		}
	}()
	for left := jobs; left > 0; {
		b := <-p.results
		for _, r := range b.results {
			read(r)
		}
		left -= uint64(len(b.results))
		select {
		case p.spare <- b:
		default:
		}
	}
}

func (p slices) stop() { close(p.jobs) }
