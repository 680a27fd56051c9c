package broker

import (
	"os"
	"testing"
	"time"
)

// RaceEnabled says whether the race detector is on.
const RaceEnabled = raceEnabled

// Everywhere in these tests clients are found silent soon, so that all they do
// is done with goroutines that come and go.
func TestMain(m *testing.M) {
	restAfter = 5 * time.Millisecond
	os.Exit(m.Run())
}
