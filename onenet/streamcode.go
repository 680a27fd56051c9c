package onenet

import "strconv"

// A StreamCode is why the platform does not take a message of a product of
// data streams; it is the error itself [onenet §4].
type StreamCode int

// The codes of data points, commands and images.
const (
	IllegalData    StreamCode = 98
	TooLarge       StreamCode = 99  // of a command's answer
	ServerFailed   StreamCode = 100 // the platform's own fault
	AnsweredLate   StreamCode = 112
	AnsweredNobody StreamCode = 113 // an unknown command, or one that was answered before
	Unspecified    StreamCode = 128
	TooOften       StreamCode = 150
	ImageNoJSON    StreamCode = 160
	ImageTooLong   StreamCode = 161
	ImageTooDeep   StreamCode = 162
	ImageNoState   StreamCode = 163
	ImageNoPart    StreamCode = 164 // neither desired nor reported
	ImageBadPart   StreamCode = 165
	ImageExists    StreamCode = 166
	ImageMissing   StreamCode = 167
)

// streamTexts are the platform's words, as far as they are known; those of
// 112, 113 and 150 are ours.
var streamTexts = map[StreamCode]string{
	IllegalData:    "Illegal Data",
	TooLarge:       "maximum payload size exceeded",
	ServerFailed:   "internal error",
	AnsweredLate:   "command response timeout",
	AnsweredNobody: "command not found or already responded",
	Unspecified:    "unspecified error",
	TooOften:       "operation too frequent",
	ImageNoJSON:    "illegal json",
	ImageTooLong:   "json out of bound",
	ImageTooDeep:   "json depth out of bound",
	ImageNoState:   "state key not found",
	ImageNoPart:    "desired or reported key not found",
	ImageBadPart:   "invalid parameters",
	ImageExists:    "device image existed",
	ImageMissing:   "device image not exists",
}

// Error is the platform's text for the code.
func (c StreamCode) Error() string {
	if s := streamTexts[c]; s != "" {
		return s
	}
	return "error " + strconv.Itoa(int(c))
}

// AppendRejected appends what a device is told of a message that is not taken;
// for data points AppendDataRejected is right.
func AppendRejected(dst []byte, c StreamCode) []byte {
	return appendCode(append(dst, '{'), c)
}

func appendCode(dst []byte, c StreamCode) []byte {
	dst = append(dst, `"err_code":`...)
	dst = strconv.AppendInt(dst, int64(c), 10)
	dst = append(dst, `,"err_msg":"`...)
	return append(append(dst, c.Error()...), `"}`...)
}

// The topics that answer a message of a product of data streams end so.
const (
	AcceptedSuffix = "/accepted"
	RejectedSuffix = "/rejected"
)
