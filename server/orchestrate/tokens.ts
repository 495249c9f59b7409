/** Characters of a token before anything is known of a model: engineering text has many digits, each a token of its own. */
const FIRST_RATIO = 2.5;
/** What no tokeniser reaches on whole prompts; beyond it, the model cannot have read all. */
const MOST_CHARS_A_TOKEN = 7;
const LEAST_CHARS_A_TOKEN = 1;
/** Share of the newest observation in what is known. */
const NEWEST = 0.4;
/** Of what was expected, a prompt that was read in whole has at least this share: code and prose differ by nearly half. */
const READ_SHARE = 0.45;

/**
 * Length of a text for estimates: characters, of which those of scripts with a sign for a syllable or word count more,
 * since each is about a token.
 */
export function unitsOf(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x2e7f) wide += 1;
  return text.length + wide * (FIRST_RATIO - 1);
}

/** How many units make a token, learnt per model from the counts that its provider reports. */
export class TokenRatios {
  private readonly known = new Map<string, number>();

  /** `learned` is false until a count was seen. */
  of(model: string): { ratio: number; learned: boolean } {
    const ratio = this.known.get(model);
    return { ratio: ratio ?? FIRST_RATIO, learned: ratio !== undefined };
  }

  /**
   * Takes note of a prompt of `units` that the provider counted as `tokens`. False when it counted far fewer than the
   * prompt has: then the model has not read all of it, and nothing is learnt.
   */
  learn(model: string, units: number, tokens: number): boolean {
    if (tokens <= 0 || units <= 0) return true;
    const seen = units / tokens;
    const before = this.known.get(model);
    if (seen > MOST_CHARS_A_TOKEN || (before !== undefined && tokens < (READ_SHARE * units) / before)) return false;
    const next = before === undefined ? seen : before * (1 - NEWEST) + seen * NEWEST;
    this.known.set(model, Math.max(LEAST_CHARS_A_TOKEN, next));
    return true;
  }
}
