import { plainSigns } from '../../text/fold';

/** What obliges, recommends and permits (ISO/IEC Directives part 2; ECSS-S-ST-00-01C), in English, German, French, Spanish, Italian, Russian, Chinese and Japanese. */
const FORCES: readonly (readonly [name: string, pattern: RegExp])[] = [
  [
    'shall',
    /(?<!\p{L})(?:shall|must|(?:is|are) (?:to be|required to|obliged to)|has to|have to|muss|müssen|ist zu|sind zu|haben? [^.]{0,40} zu|doit|doivent|debe|deben|deve|devono|должен|должна|должно|должны|обязан)(?!\p{L})|必须|必須|应当|しなければならない|するものとする|なければなりません|必要があ/iu,
  ],
  [
    'should',
    /(?<!\p{L})(?:should|(?:is|are) (?:strongly )?(?:recommended|advised)|soll|sollen|sollte|sollten|(?:wird|werden) empfohlen|empfiehlt|devrait|devraient|(?:est|sont) (?:conseillée?s?|recommandée?s?)|convient|conviene|debería|deberían|se recomienda|dovrebbe|dovrebbero|следует|рекомендуется)(?!\p{L})|宜|建议|推荐|望ましい|べき|推奨/iu,
  ],
  [
    'may',
    /(?<!\p{L})(?:may|(?:is|are) (?:permitted|allowed|free) to|(?:is|are) (?:permitted|allowed|optional)|darf|dürfen|kann|können|peut|peuvent|(?:est|sont) (?:permise?s?|autorisée?s?)|puede|pueden|può|possono|может|могут|допускается)(?!\p{L})|可以|允许|てもよい|できる|できます/iu,
  ],
];
const NEGATION =
  /(?<!\p{L})(?:not|never|no|nor|none|neither|cannot|without|nicht|kein(?:e[mnrs]?)?|nie|niemals|keinesfalls|weder|ohne|ne|n'\p{L}+|pas|jamais|aucune?|sans|sin|nunca|ningún|ninguna|non|senza|mai|не|нет|ни|нельзя|никогда|без)(?!\p{L})|n't(?!\p{L})|(?<!\p{L})(?:prohibit(?:s|ed)?|forbid(?:s|den)?|excluded|exempt|verboten|verbietet|untersagt|unzulässig|ausgeschlossen|ausgenommen|interdite?s?|exclue?s?|prohibido|vietato|запрещ\p{L}+)(?!\p{L})|≠|不|禁止|未|没有|无法|ません|ない(?!\p{Script=Han})/iu;
/** Negative words that limit instead: "no later than 10 s" is "within 10 s"; and those that only look like one. */
const NO_NEGATION = [
  /(?<!\p{L})(?:no|not)(?: be)? (?:later|earlier|more|less|fewer|greater|lower|higher|longer|shorter|over|above|below) than(?!\p{L})/giu,
  /(?<!\p{L})not (?:be )?(?:exceed|surpass)\p{L}{0,4}|(?<!\p{L})not only(?!\p{L})|(?<!\p{L})no\.\s?\d/giu,
  /(?<!\p{L})nicht (?:nur|(?:mehr|weniger|länger|später|früher|höher|größer|kleiner) als|(?:über|unter)(?:schr|st)\p{L}{1,12})/giu,
  /(?<!\p{L})ne (?:(?:doit|doivent|peut|peuvent) )?pas (?:dépasser|excéder)|(?<!\p{L})ne dépass\p{L}{1,6} pas|(?<!\p{L})pas (?:plus|moins) de(?!\p{L})|(?<!\p{L})non seulement/giu,
  /(?<!\p{L})no (?:(?:debe|deben|puede) (?:superar|exceder)|más de)|(?<!\p{L})non (?:(?:deve|devono) superare|più di)/giu,
  /(?<!\p{L})не (?:более|менее|должн\p{L}{1,3} превышать|превыша\p{L}{1,6})/giu,
  /不超过|不得超过|不大于|不少于|不小于|不足|不锈|なければなら|必要がない|超えない/gu,
];

/** Which of shall, should and may a sentence says. */
export const forcesOf = (sentence: string): string[] =>
  FORCES.filter(([, pattern]) => pattern.test(sentence)).map(([name]) => name);

/** True when a sentence denies something. */
export function isNegated(sentence: string): boolean {
  return NEGATION.test(NO_NEGATION.reduce((text, pattern) => text.replace(pattern, ' '), plainSigns(sentence)));
}

export type Limit = 'at least' | 'at most';
const LIMITS: readonly (readonly [limit: Limit, before: RegExp, after: RegExp])[] = [
  [
    'at least',
    /(?:(?<!not (?:to )?)(?:exceeds?|exceeding)|at least|a minimum of|minimum|min\.?|no(?:t)? (?:be )?(?:less|fewer|lower|shorter|earlier) than|not below|≥|>=|mindestens|wenigstens|nicht (?:weniger|kleiner|kürzer) als|au moins|au minimum|minimum de|al menos|como mínimo|almeno|minimo|не менее|至少|不少于|不小于|少なくとも)\s{0,2}(?:of |von |de |di )?$/iu,
    /^\s{0,2}(?:or more|or above|or longer|minimum|min\.?|oder mehr|ou plus|at least|o más|o più|以上)(?!\p{L})/iu,
  ],
  [
    'at most',
    /(?:at most|a maximum of|maximum|max\.?|up to|no(?:t)? (?:be )?(?:more|greater|higher|longer|later|over) than|not (?:to )?exceed(?:ing)?|within|≤|<=|höchstens|maximal|bis zu|nicht (?:mehr|größer|höher|länger|später) als|au plus|au maximum|maximum de|jusqu'à|como máximo|hasta|al massimo|fino a|не более|до|最多|不超过|不得超过|最大|最高)\s{0,2}(?:of |von |de |di )?$/iu,
    /^\s{0,2}(?:or less|or below|or fewer|maximum|max\.?|at (?:the )?most|at the latest|oder weniger|nicht überschreiten|ou moins|au plus|au maximum|o menos|como máximo|o meno|以下|以内|まで)(?!\p{L})/iu,
  ],
];

/** Whether a quantity is said to be a lower or an upper bound, by the words around it. */
export function limitOf(sentence: string, { start, end }: { start: number; end: number }): Limit | undefined {
  const before = plainSigns(sentence.slice(Math.max(0, start - 36), start));
  const after = sentence.slice(end, end + 24);
  const found = LIMITS.filter(([, leads, follows]) => leads.test(before) || follows.test(after));
  return found.length === 1 ? found[0]?.[0] : undefined;
}

/** Words that draw a conclusion. */
const CONCLUSION =
  /(?<!\p{L})(?:because|therefore|thus|hence|so that|consequently|as a result|which means|weil|daher|deshalb|folglich|somit|dadurch|parce que|donc|par conséquent|ainsi|porque|por lo tanto|perché|quindi|perciò|потому что|поэтому|следовательно)(?!\p{L})|(?:^|, )(?:since|so|da) |因此|所以|因为|したがって|ため/iu;

export const concludes = (sentence: string): boolean => CONCLUSION.test(sentence);

const CONTRAST =
  /(?<!\p{L})(?:but|whereas|while|unlike|in contrast|conversely|aber|hingegen|dagegen|während|jedoch|sondern|mais|tandis que|alors que|pero|mientras|ma|mentre|но|тогда как|а)(?!\p{L})|而|但|一方/iu;

/** Sets one thing against another. */
export const contrasts = (sentence: string): boolean => CONTRAST.test(sentence);

/** Words of which one is put in place of the other when a statement is turned round. */
const OPPOSITES: readonly (readonly [RegExp, RegExp])[] = (
  [
    ['before|prior to|vor|bevor|avant', 'after|following|nach|nachdem|après'],
    ['above|über|au-dessus', 'below|under|unter|au-dessous|en dessous'],
    ['minimum|min|minimal\\p{L}*|lowest|least', 'maximum|max|maximal\\p{L}*|highest|most'],
    ['all|every|each|alle|jede[rsn]?|tous|toutes|chaque', 'some|several|certain|einige|manche|certains|quelques'],
    ['always|immer|toujours', 'never|sometimes|nie|manchmal|jamais|parfois'],
    ['left|links|linke[rsn]?|gauche', 'right|rechts|rechte[rsn]?|droite'],
    ['open|opened|opens|offen|öffnet|geöffnet|ouverte?s?', 'close|closed|closes|geschlossen|schließt|fermée?s?'],
    ['upper|top|obere[rsn]?|oben|supérieure?s?', 'lower|bottom|untere[rsn]?|unten|inférieure?s?'],
    ['inlet|input|eingang\\p{L}*|entrée', 'outlet|output|ausgang\\p{L}*|sortie'],
    ['first|erste[rsn]?|premi[eè]re?', 'second|last|zweite[rsn]?|letzte[rsn]?|deuxième|derni[eè]re?'],
    [
      'increases?|increased|rises?|steigt|erhöht|augmente',
      'decreases?|decreased|falls?|reduces?|sinkt|verringert|diminue',
    ],
    [
      'heavier|larger|higher|longer|faster|more|schwerer|größer|höher|länger',
      'lighter|smaller|lower|shorter|slower|less|leichter|kleiner|niedriger|kürzer',
    ],
    ['\\p{L}{0,2}dc', '\\p{L}{0,2}ac'],
    ['on|enabled|active|ein|eingeschaltet', 'off|disabled|inactive|aus|ausgeschaltet'],
  ] as const
).map(([a, b]) => [whole(a), whole(b)]);

function whole(words: string): RegExp {
  return new RegExp(`(?<!\\p{L})(?:${words})(?!\\p{L})`, 'iu');
}

/** True when one text has a word where the other has its opposite. */
export const opposes = (first: string, second: string): boolean =>
  OPPOSITES.some(([a, b]) => {
    const [x, y] = [a.test(first), b.test(first)];
    const [u, v] = [a.test(second), b.test(second)];
    return (x && !y && v && !u) || (y && !x && u && !v);
  });

/** Words that make a denial a condition: "not before" is "only after". */
const CONDITION =
  /(?<!\p{L})(?:only|before|after|until|unless|except|nur|erst|bevor|nachdem|bis|außer|sofern|seulement|avant|après|jusqu|sauf|que|solo|antes|hasta|salvo|prima|fino|только|до|пока|кроме)(?!\p{L})|仅|只|之前|まで/iu;

export const isConditional = (sentence: string): boolean => CONDITION.test(sentence);

const RESTRICTION =
  /(?<!\p{L})(?:only|unless|except|provided that|nur|außer|es sei denn|seulement|sauf|à moins que|sólo|solo|salvo|только|кроме)(?!\p{L})|仅|只/iu;

/** Says that something holds in some cases only. */
export const isRestricted = (sentence: string): boolean => RESTRICTION.test(sentence);
