package fileupload

import "sync/atomic"

// Counters are the service's figures since its start. Each may be read at any
// time.
type Counters struct {
	Begun     atomic.Int64 // uploads, those that were gone on with not among them
	Arrived   atomic.Int64 // files that came whole
	Cancelled atomic.Int64 // uploads that their device ended
	Forgotten atomic.Int64 // uploads that brought nothing for a day
	Refused   atomic.Int64 // requests that were not served, for whatever reason
	Bytes     atomic.Int64 // of blocks that were taken
}

// Counters are read where figures are shown.
func (s *Service) Counters() *Counters { return &s.counters }

// UnderWay is how many uploads are under way.
func (s *Service) UnderWay() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

// refusals counts a request that failed.
func (s *Service) refusals(err *error) {
	if *err != nil {
		s.counters.Refused.Add(1)
	}
}
