package router

import (
	"slices"
	"strings"

	"peers/internal/records"
)

var accountWide = &setting{Send: "account_wide"}

// resolve calls run for every action that runs for a call, and returns the label of its number.
func resolve(call *records.CallRouting, its *account, run func(label string, one *action) error) error {
	var number *setting
	if call.CalledE164 != "" {
		if key, is := digits(call.CalledE164); is {
			number = its.numbers[key]
		}
	}
	label := ""
	if number != nil {
		label = number.Label
	}
	counts := settingFor(call, its, number)
	for _, one := range its.actions {
		if runs(one, counts, call) {
			if err := run(label, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// settingFor is that of the ad group, then pool, then number, then account-wide; inherit falls
// through.
func settingFor(call *records.CallRouting, its *account, number *setting) *setting {
	if call.AdGroupID != "" {
		if one := its.adGroups[call.AdGroupID]; one != nil && one.Send != "inherit" {
			return one
		}
	}
	if call.PoolID != "" {
		if one := its.pools[call.PoolID]; one != nil && one.Send != "inherit" {
			return one
		}
	}
	if number != nil && number.Send != "inherit" {
		return number
	}
	return accountWide
}

func runs(one *action, counts *setting, call *records.CallRouting) bool {
	switch {
	case counts.Send == "none",
		counts.Send == "specific" && one.ActionID != counts.ActionID,
		!one.Active,
		counts.Send == "account_wide" && one.Scope != "all_calls",
		call.Revision > 0 && !one.Revisions:
		return false
	}
	return one.Conditions == nil || meets(call, one.Conditions)
}

// meets judges what conditions ask; talk seconds that a call does not have count as 0, flags that it
// does not have as false.
func meets(call *records.CallRouting, asked *records.Conditions) bool {
	var talk int64
	if call.TalkSeconds != nil {
		talk = *call.TalkSeconds
	}
	same := func(word string) bool { return strings.EqualFold(word, call.CallType) }
	switch {
	case asked.MinimumTalkSeconds != nil && *asked.MinimumTalkSeconds != 0 &&
		talk < *asked.MinimumTalkSeconds,
		len(asked.CallTypes) > 0 && !slices.ContainsFunc(asked.CallTypes, same),
		asked.Qualified != "" && !isQualified(call.LeadFlow, asked.Qualified),
		len(asked.PoolIDs) > 0 && !slices.Contains(asked.PoolIDs, call.PoolID),
		len(asked.Tags) > 0 &&
			(call.LeadFlow == nil || !slices.Contains(asked.Tags, call.LeadFlow.Tag)):
		return false
	}
	return true
}

func isQualified(leadFlow *records.LeadFlowCondition, asked string) bool {
	if leadFlow == nil {
		return false
	}
	is := func(flag *bool) bool { return flag != nil && *flag }
	switch asked {
	case "source":
		return is(leadFlow.SourceQualified)
	case "destination":
		return is(leadFlow.DestinationQualified)
	case "both":
		return is(leadFlow.SourceQualified) && is(leadFlow.DestinationQualified)
	default: // a later version's word is never met
		return false
	}
}
