/**
 * Dense tables for the keyboard: one row has the tab stop; arrows, Home and End move it, Enter opens, Space selects.
 * Give the first column a link too: that is what a screen reader finds.
 */
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { useWords } from '../words/index.tsx';

export interface Column<Row> {
  readonly key: string;
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: 'end';
  /** Takes what room is left. */
  readonly grow?: boolean;
}
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly change: (ids: ReadonlySet<string>) => void;
  /** What a row is called when it is selected. */
  readonly nameOf: (id: string) => string;
}

/** How far a key moves the focus; Home and End as far as there is. */
const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 15,
  PageUp: -15,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Table<Row>(props: {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  readonly onOpen?: (row: Row) => void;
  readonly selection?: Selection;
}) {
  const { label, columns, rows, idOf, onOpen, selection } = props;
  const words = useWords().common;
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState(0);
  const stop = Math.min(current, rows.length - 1);

  const focusRow = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    setCurrent(next);
    const row = body.current?.rows[next];
    row?.focus();
    row?.scrollIntoView({ block: 'nearest' });
  };
  const toggle = (id: string) => {
    if (!selection) return;
    const ids = new Set(selection.ids);
    if (!ids.delete(id)) ids.add(id);
    selection.change(ids);
  };
  const onKeyDown = (event: KeyboardEvent, index: number, row: Row) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = steps[event.key];
    if (step !== undefined) focusRow(index + step);
    else if (event.key === 'Enter' && onOpen) onOpen(row);
    else if ((event.key === ' ' || event.key === 'x') && selection) toggle(idOf(row));
    else return;
    event.preventDefault();
  };

  const all = rows.length > 0 && rows.every((row) => selection?.ids.has(idOf(row)));
  return (
    <div className="table-frame">
      <table aria-label={label}>
        <thead>
          <tr>
            {selection && (
              <th scope="col" className="narrow">
                <input
                  type="checkbox"
                  aria-label={words.selectAll}
                  checked={all}
                  onChange={() => selection.change(new Set(all ? [] : rows.map(idOf)))}
                />
              </th>
            )}
            {columns.map((column) => (
              <th key={column.key} scope="col" className={classOf(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row, index) => {
            const id = idOf(row);
            return (
              <tr
                key={id}
                tabIndex={index === stop ? 0 : -1}
                className={onOpen ? 'opens' : ''}
                onFocus={() => setCurrent(index)}
                onKeyDown={(event) => onKeyDown(event, index, row)}
                onDoubleClick={() => onOpen?.(row)}
              >
                {selection && (
                  <td className="narrow">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      aria-label={words.selectRow(selection.nameOf(id))}
                      checked={selection.ids.has(id)}
                      onChange={() => toggle(id)}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.key} className={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function classOf(column: Pick<Column<unknown>, 'align' | 'grow'>): string {
  return [column.align === 'end' ? 'end' : '', column.grow ? 'grow' : ''].join(' ').trim();
}
