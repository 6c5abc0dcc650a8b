import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import type { Client } from "@securewave/contracts";
import type { Call, Perform } from "./call.ts";
import type { ExitCode } from "./failure.ts";
import { counted } from "./human.ts";
import { allOption, cursorOption, limitOption, type ReadFound, readList, yesOption } from "./options.ts";
import type { Column } from "./output.ts";

interface List<Item, Options> {
  /** What one of the items is called. */
  readonly noun: string;
  /** Said where there are none; `No <noun>s.` if not given. */
  readonly none?: string | ((options: Options) => string);
  /** Gives what reads a page; called once, however many pages there are. */
  readonly open: (api: Client, options: Options) => ReadFound<Item> | Promise<ReadFound<Item>>;
  readonly columns: (call: Call, items: readonly Item[], options: Options) => readonly Column<Item>[];
  /** How the process ends, if not well. */
  readonly exit?: (items: readonly Item[], options: Options) => ExitCode | undefined;
}

/** Lets a command list things: a page of them, or as many as the options say that it is given for that. */
export function lists<Options extends OptionValues, Shared extends OptionValues, Item>(
  command: Command<[], Options, Shared>,
  perform: Perform,
  { noun, none = `No ${noun}s.`, open, columns, exit }: List<Item, Options>,
): void {
  const listing: CommandUnknownOpts = command;
  listing.addOption(limitOption()).addOption(allOption()).addOption(cursorOption());
  listing.action(() =>
    perform(async (call) => {
      const options = command.opts();
      const read = await open(await call.client(), options);
      const page = await readList(listing.opts(), read);
      const { out } = call;
      const { items, next_cursor } = page;
      out.result(page, () =>
        items.length === 0
          ? noneText(none, options)
          : `${out.table(columns(call, items, options), items)}\n\n${counted(items.length, noun)}`,
      );
      if (next_cursor === null) return exit?.(items, options);
      const narrows = listing.options.some(({ long }) => long === "--search") ? " --search narrows," : "";
      out.note(`There are more: --all shows them,${narrows} --limit changes how many.`);
      return exit?.(items, options);
    }),
  );
}

function noneText<Options>(none: string | ((options: Options) => string), options: Options): string {
  return typeof none === "string" ? none : none(options);
}

interface Deed<Item, Options, Result> {
  /** Finds what the argument names. */
  readonly find: (api: Client, text: string) => Promise<Item>;
  /** Undefined where nothing needs to be asked. */
  readonly question: (item: Item, options: Options) => string | undefined;
  /** Gives what stands on standard output with `--json`. */
  readonly act: (api: Client, item: Item, options: Options) => Promise<Result>;
  /** Says what was done. */
  readonly done: (result: Result, item: Item, call: Call) => string;
}

/** Lets a command do something to the one thing that it is given, once the answer to a question is yes. */
export function asksFirst<Options extends OptionValues, Shared extends OptionValues, Item, Result>(
  command: Command<[string], Options, Shared>,
  perform: Perform,
  { find, question, act, done }: Deed<Item, Options, Result>,
): void {
  const asking: CommandUnknownOpts = command;
  asking.addOption(yesOption());
  command.action((text) =>
    perform(async (call) => {
      const api = await call.client();
      const item = await find(api, text);
      const asked = question(item, command.opts());
      if (asked !== undefined) await call.confirm(asked, asking.opts().yes === true);
      const result = await act(api, item, command.opts());
      call.out.result(result, () => done(result, item, call));
    }),
  );
}
