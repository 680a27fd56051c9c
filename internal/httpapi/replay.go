package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/recording"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/internal/replay"
	"github.com/matou-iot/matou/mqtt"
	"github.com/matou-iot/matou/mqtt/packet"
)

// What a replay may take; `matou packet replay` has no such bounds.
const (
	maxReplayed    = 1000 // packets of the device
	replayLongest  = time.Minute
	replayWait     = 2 * time.Second        // for an answer of this very server
	replayListens  = 500 * time.Millisecond // behind the last packet
	replayMaxSteps = 4 * maxReplayed        // that are told; a broker may say more than it was asked
)

type replayInput struct {
	Stream  int    `query:"stream" minimum:"0" doc:"Which of several conversations, from 1; left out, the only one"`
	Resign  bool   `query:"resign" doc:"Sign the CONNECT anew with the secret that is kept of its device"`
	Product string `query:"product" doc:"With device: speak for this device, in the CONNECT and in topics; implies resign"`
	Device  string `query:"device"`
	RawBody []byte `contentType:"application/octet-stream"`
}

// A replayed is how a replay went.
type replayed struct {
	Sent        int                `json:"sent"`
	Received    int                `json:"received"`
	Compared    bool               `json:"compared" doc:"The recording has answers to compare with"`
	Differences int                `json:"differences" doc:"Answers that differ from the recorded ones, or are missing"`
	Left        int                `json:"left,omitempty" doc:"Packets that were not sent: the connection had ended"`
	Dropped     bool               `json:"dropped,omitempty" doc:"The broker closed the connection by itself"`
	Interrupted bool               `json:"interrupted,omitempty" doc:"It took longer than it may"`
	Refused     bool               `json:"refused,omitempty" doc:"The device was not let in"`
	Diagnosis   *dialect.Diagnosis `json:"diagnosis,omitempty" doc:"Why it was not"`
	Steps       []replayStep       `json:"steps"`
	MoreSteps   int                `json:"moreSteps,omitempty" doc:"That are not told"`
}

// A replayStep is one thing that happened.
type replayStep struct {
	Kind     string     `json:"kind" enum:"sent,received,answered,skipped,missing,silent,closed"`
	AfterMS  int64      `json:"afterMs" doc:"Since the beginning"`
	Packet   *spoken    `json:"packet,omitempty" doc:"What was said, or is missing; its time is that of the step"`
	Recorded packet.Hex `json:"recorded,omitempty" doc:"What the recording has in its place, where that differs"`
	Notes    []string   `json:"notes,omitempty"`
	Differs  []string   `json:"differs,omitempty" doc:"From the recorded answer, in words"`

	NotesZH   []string `json:"notesZh,omitempty"`
	DiffersZH []string `json:"differsZh,omitempty"`
}

// replayRecording says to this server's own port for devices what a device
// once said somewhere.
func (a *api) replayRecording(ctx context.Context, in *replayInput) (replayed, error) {
	r, err := in.choose()
	if err != nil {
		return replayed{}, err
	}
	out := replayed{Compared: r.Answers(), Steps: []replayStep{}}
	version := mqtt.V311
	o := replay.Options{Wait: replayWait, Linger: replayListens, On: func(s replay.Step) { out.tell(s, &version) }}
	if in.Resign || in.Device != "" {
		o.Rewrite = a.resigner(ctx, in).Rewrite
	}
	ctx, cancel := context.WithTimeout(ctx, replayLongest)
	defer cancel()
	conn, err := a.Bench.Connect(ctx)
	if err != nil {
		return replayed{}, err
	}
	result, err := replay.Play(ctx, conn, r, o)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && result != nil:
		out.Interrupted = true
	case err != nil && fault.KindOf(err) != fault.KindInternal:
		return replayed{}, err
	case err != nil:
		return replayed{}, fault.Invalid("%v", err)
	}
	out.Sent, out.Received, out.Differences = result.Sent, result.Received, result.Differences
	out.Left, out.Dropped, out.Refused = result.Left, result.Dropped, result.Refused != nil
	if out.Refused && result.Connect != nil {
		opinion, err := a.Gate.Judge(ctx, result.Connect, broker.Origin{Transport: "tcp"})
		if err == nil {
			out.Diagnosis = opinion.Diagnosis
		}
	}
	return out, nil
}

// choose finds the conversation that is meant.
func (in *replayInput) choose() (*recording.Recording, error) {
	all, err := recording.Read(in.RawBody)
	switch {
	case err != nil:
		return nil, fault.Invalid("%v", err)
	case (in.Product == "") != (in.Device == ""):
		return nil, fault.In("device", fault.Invalid("name product and device, or neither"))
	case in.Stream > len(all):
		return nil, fault.In("stream", fault.Invalid("there are %d conversations, numbered from 1", len(all)))
	case in.Stream == 0 && len(all) > 1:
		return nil, fault.In("stream", fault.Invalid("there are %d conversations in it: choose one", len(all)))
	}
	r := &all[max(in.Stream, 1)-1]
	device := 0
	for _, p := range r.Packets() {
		if p.From == recording.Device {
			device++
		}
	}
	if device > maxReplayed {
		return nil, fault.Invalid("the device says %d packets, and %d are played here at the most: matou packet replay plays more", device, maxReplayed)
	}
	return r, nil
}

// resigner signs with the secrets that are kept here.
func (a *api) resigner(ctx context.Context, in *replayInput) *replay.Signer {
	return &replay.Signer{
		As: replay.Identity{Product: in.Product, Device: in.Device}, Now: time.Now(),
		Key: func(id replay.Identity) (string, error) {
			d, err := a.Registry.Device(ctx, registry.ID{Product: id.Product, Device: id.Device})
			if err != nil {
				return "", err
			}
			return d.Secret, nil
		},
	}
}

func (r *replayed) tell(s replay.Step, v *mqtt.Version) {
	if len(r.Steps) == replayMaxSteps {
		r.MoreSteps++
		return
	}
	step := replayStep{
		Kind: string(s.Kind), AfterMS: s.At.Milliseconds(), Notes: s.Notes, Differs: s.Differs, NotesZH: s.NotesZH, DiffersZH: s.DiffersZH,
		Recorded: s.Recorded[:min(len(s.Recorded), maxSpokenBytes)],
	}
	b := s.Bytes
	if s.Kind == replay.Missing {
		b = s.Recorded
	}
	if len(b) > 0 {
		said := speak(b, v)
		said.AfterMS = step.AfterMS
		if s.Kind == replay.Received || s.Kind == replay.Missing {
			said.From = recording.Broker
		}
		step.Packet = &said
	}
	r.Steps = append(r.Steps, step)
}
