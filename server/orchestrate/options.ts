import type { ChatProvider, GenerationOptions, ModelInfo, OptionName } from '../core/chat';
import { AppError } from '../core/errors';
import type { RunRequest } from '../core/run';

export interface FittedOptions {
  options: GenerationOptions;
  /** Set by the caller, but without effect on this model: the caller is told. */
  ignored: readonly OptionName[];
}

/**
 * The options as the model can follow them. What it lacks is dropped and reported; where the answer
 * would then miss the point (an image it cannot see, a tool it must call) the request is refused.
 */
export function fitOptions(request: RunRequest, provider: ChatProvider, model: ModelInfo): FittedOptions {
  const ignored = provider.ignores(request.options);
  // Ivy's own quotations say themselves that they are no model's answer.
  if (provider.id === 'builtin') return { options: request.options, ignored };
  checkImages(request, model);
  const options = { ...request.options };
  const dropped: OptionName[] = [];
  if (options.tools && options.tools.length > 0 && !model.capabilities.tools) {
    if (options.toolChoice === 'required' || typeof options.toolChoice === 'object') {
      throw new AppError('unsupported_parameter', `tools: the model ${model.id} cannot call tools.`, {
        param: 'tools',
      });
    }
    options.tools = undefined;
    options.toolChoice = undefined;
    dropped.push('tools');
  }
  if (options.reasoningEffort !== undefined && options.reasoningEffort !== 'none' && !model.capabilities.thinking) {
    options.reasoningEffort = undefined;
    dropped.push('reasoningEffort');
  }
  // A title is read up to its last brace: thinking aloud would spoil it, and take its time.
  if (request.task) options.reasoningEffort = 'none';
  if (options.maxTokens !== undefined && model.maxOutputTokens !== undefined) {
    options.maxTokens = Math.min(options.maxTokens, model.maxOutputTokens);
  }
  return { options, ignored: [...ignored, ...dropped] };
}

function checkImages({ messages }: RunRequest, model: ModelInfo): void {
  if (model.capabilities.vision) return;
  const at = messages.findIndex(
    (message) => message.role === 'user' && message.content.some((part) => part.type === 'image'),
  );
  if (at < 0) return;
  throw new AppError('unsupported_value', `messages[${at}].content: the model ${model.id} cannot see images.`, {
    param: `messages[${at}].content`,
  });
}
