package browser

import (
	"fmt"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// SetScripts switches the scripts of pages that are opened from now on. Evaluate works without.
func (b *Browser) SetScripts(on bool) error {
	ctx, cancel := b.within()
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: !on})
	return err
}

// Follow clicks on the first element that a CSS selector finds, waits for the page that it leads
// to, and returns the status of that.
func (b *Browser) Follow(selector string) (int64, error) {
	ctx, cancel := b.within()
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	if err != nil {
		return 0, fmt.Errorf("click on %s: %w", selector, err)
	}
	return response.Status, nil
}

// Click clicks on the first element that a CSS selector finds.
func (b *Browser) Click(selector string) error {
	return b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Type types a text in place of what a field has.
func (b *Browser) Type(selector, text string) error {
	field := chromedp.CSS(selector)
	return b.Do(chromedp.Clear(field), chromedp.SendKeys(field, text))
}
