import { z } from 'zod';
import type { Evaluation } from '../core/evaluation';
import { evaluate, toGoldenSet } from '../orchestrate/evaluate';
import type { SettingsRepository } from '../store/settings';
import type { Snapshot } from './snapshot';

const SET = 'golden-set';
const HISTORY = 'golden-set-history';
const MAX_HISTORY = 20;

const qualitySchema = z.object({ first: z.number(), firstFive: z.number(), reciprocalRank: z.number() });
const summarySchema = z.object({
  at: z.number(),
  configuration: z.string(),
  questions: z.number(),
  all: qualitySchema,
  words: qualitySchema.optional(),
});
export type EvaluationSummary = z.infer<typeof summarySchema>;

/** The golden questions of this installation, and how the search has done on them over time. */
export class Evaluations {
  private last: Evaluation | undefined;

  constructor(
    private readonly settings: SettingsRepository,
    private readonly snapshot: () => Snapshot,
  ) {}

  /** The questions as they were written, the last result of this process and the summaries of all, newest first. */
  async state(): Promise<{ csv: string; last: Evaluation | null; history: EvaluationSummary[] }> {
    const history = z.array(summarySchema).safeParse(JSON.parse((await this.settings.get(HISTORY)) ?? '[]'));
    return {
      csv: (await this.settings.get(SET)) ?? '',
      last: this.last ?? null,
      history: history.success ? history.data : [],
    };
  }

  /** Keeps the questions and asks them all. Throws when a row is wrong or the search is not complete. */
  async run(csv: string, signal: AbortSignal): Promise<Evaluation> {
    const questions = toGoldenSet(csv);
    await this.settings.set(SET, csv);
    const { retriever, agent, name } = this.snapshot();
    const result = await evaluate(questions, { retriever, stages: !agent, configuration: name }, signal);
    this.last = result;
    if (questions.length > 0) await this.remember(result);
    return result;
  }

  private async remember({ at, configuration, questions, all, words }: Evaluation): Promise<void> {
    const { history } = await this.state();
    const summary = { at, configuration, questions: questions.length, all, words };
    await this.settings.set(HISTORY, JSON.stringify([summary, ...history].slice(0, MAX_HISTORY)));
  }
}
