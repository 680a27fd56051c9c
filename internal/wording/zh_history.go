package wording

// zhHistory are the sentences of history, layers and feed.
var zhHistory = map[string]string{
	"limit %d is above the maximum %d":                                                      "limit 为 %d，超过上限 %d",
	"spans of %v make more than %d: choose longer ones":                                     "按 %v 分段超过 %d 段，请加大间隔",
	"the timeline of %s has no entry %d, or no longer":                                      "%s 的时间线没有条目 %d，或已被清除",
	"the feed has no record %d of %s, or no longer: how long it keeps them is in feed.keep": "没有 %[2]s 的记录 %[1]d，或已过期；保留时长见 feed.keep",
	"the data could not be stored: %w":                                                      "数据未能保存：%v",
}
