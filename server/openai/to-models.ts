import type { ModelInfo } from '../core/chat';

/** When the classic model entry was created, in seconds; existing installations know this value. */
const CREATED = 1_704_150_000;

export interface ListedModel {
  id: string;
  /** Undefined for a profile, whose model may change. */
  model: ModelInfo | undefined;
  description: string;
}

/**
 * A model in OpenAI's form with the metadata Open WebUI reads: `info.meta`, and `meta` from which it
 * builds its own record when an admin grants access. `builtin_tools: false` keeps its tool
 * descriptions (some 4,500 tokens) out of every request.
 */
export function toModel({ id, model, description }: ListedModel) {
  const meta = {
    description,
    capabilities: {
      usage: true,
      citations: true,
      status_updates: true,
      file_context: true,
      vision: model?.capabilities.vision ?? false,
      builtin_tools: false,
      web_search: false,
      image_generation: false,
      code_interpreter: false,
      memory: false,
      terminal: false,
    },
  };
  return {
    id,
    object: 'model' as const,
    created: CREATED,
    owned_by: 'ivy',
    name: id,
    ...(model?.contextLength !== undefined && { context_length: model.contextLength }),
    meta,
    info: { meta },
  };
}

export function toModelList(models: readonly ListedModel[]) {
  return { object: 'list' as const, data: models.map(toModel) };
}
