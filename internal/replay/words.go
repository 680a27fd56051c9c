package replay

import "fmt"

// words are a sentence in both languages.
type words struct{ en, zh string }

// note notes something about a step.
func (s *Step) note(w words) { s.Notes, s.NotesZH = append(s.Notes, w.en), append(s.NotesZH, w.zh) }

// differ notes how a step differs from the recording.
func (s *Step) differ(all []words) {
	for _, w := range all {
		s.Differs, s.DiffersZH = append(s.Differs, w.en), append(s.DiffersZH, w.zh)
	}
}

// noted is a step with a note.
func noted(s Step, w words) Step {
	s.note(w)
	return s
}

// changed says that something was another thing.
func changed(what words, was, is words) words {
	return words{fmt.Sprintf("%s was %s, is %s", what.en, was.en, is.en), fmt.Sprintf("%s：录制时为 %s，现在为 %s", what.zh, was.zh, is.zh)}
}

// same is what reads the same in both languages.
func same(text string) words { return words{text, text} }

var (
	sayNothingLike = words{"the recording has nothing like it", "录制中没有与之对应的报文"}
	sayNotWhole    = words{"this is no whole packet", "这不是完整的报文"}
	sayEndsInside  = words{"the recording ends inside it", "录制在此报文中间结束"}
	sayReason      = words{"reason", "原因码"}
	sayPayload     = words{"payload", "消息内容"}
	sayNotThere    = words{"not there", "没有"}

	saySkipAck = words{"it acknowledges a message of the recording; messages that come now are acknowledged with their own identifiers",
		"这是对录制中消息的确认；现在收到的消息用各自的标识符确认"}
	saySkipConnect = words{"a second CONNECT on one connection is a protocol error [MQTT3-3.1.0-2]: play it by itself",
		"同一连接上的第二个 CONNECT 违反协议 [MQTT3-3.1.0-2]：请单独回放"}
	saySkipBye    = words{"it would end the connection, and the recording goes on", "发送它会断开连接，而录制还没有结束"}
	saySkipServer = words{"only a broker sends this", "只有服务器才会发送这种报文"}
)
