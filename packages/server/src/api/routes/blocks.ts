import { Type } from 'typebox';
import type { Block, Masking } from '../../masking/service.ts';
import { principalOf } from '../authentication.ts';
import { invalid } from '../input.ts';
import type { ProblemPlace } from '../problem.ts';
import { type Api, checkId, pageOfQuery, present, readTime, renderPage, words } from '../route.ts';
import { blockPage, blockSchema, newBlockSchema } from '../schemas/blocks.ts';
import { idParams, type Json, pageQuery } from '../schemas/common.ts';

export function blockRoutes(app: Api, masking: Masking): void {
  app.post(
    '/v1/blocks',
    {
      config: {
        scope: 'blocks:write',
        problems: [
          'invalid-number',
          'number-without-country',
          'virtual-number-as-participant',
          'unknown-participant',
          'participant-unreachable',
        ],
      },
      schema: {
        ...words(
          'Blocks',
          'createBlock',
          'Keep people from reaching each other',
          'Holds at once and in every session, also in those that are opened later. Blocked callers hear what strangers hear.',
        ),
        body: newBlockSchema,
        response: { 201: blockSchema },
      },
    },
    async (request, reply) => {
      const { tenant, actor } = principalOf(request);
      const block = await masking.createBlock(tenant, readBlock(request.body), actor);
      return reply.code(201).send(renderBlock(block));
    },
  );

  app.get(
    '/v1/blocks',
    {
      config: { scope: 'blocks:read', problems: ['invalid'] },
      schema: {
        ...words('Blocks', 'listBlocks', 'List blocks'),
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: blockPage },
      },
    },
    async (request) => {
      const page = pageOfQuery(request.query, 'blk');
      return renderPage(await masking.listBlocks(principalOf(request).tenant, page), renderBlock);
    },
  );

  app.delete(
    '/v1/blocks/:id',
    {
      config: { scope: 'blocks:write', problems: ['not-found'] },
      schema: {
        ...words('Blocks', 'liftBlock', 'Lift a block', 'It stays in the list, with `liftedAt`.'),
        params: idParams('blk', 'block'),
        response: { 200: blockSchema },
      },
    },
    async (request) =>
      renderBlock(await masking.liftBlock(principalOf(request).tenant, checkId('blk', request.params.id))),
  );
}

function readBlock(body: Json<typeof newBlockSchema>) {
  const { phone, participant, counterpartPhone, counterpartParticipant, reason, expiresAt } = body;
  const errors: ProblemPlace[] = [];
  if ((phone === undefined) === (participant === undefined)) {
    errors.push({ pointer: '', detail: 'must have exactly one of phone and participant' });
  }
  if (counterpartPhone !== undefined && counterpartParticipant !== undefined) {
    errors.push({
      pointer: '',
      detail: 'must have at most one of counterpartPhone and counterpartParticipant',
    });
  }
  if (reason.trim().length < 3) {
    errors.push({ pointer: '/reason', detail: 'must say why, in at least 3 characters' });
  }
  const until = expiresAt === undefined ? undefined : readTime(expiresAt, '/expiresAt');
  if (until && until.getTime() <= Date.now()) {
    errors.push({ pointer: '/expiresAt', detail: 'must lie in the future' });
  }
  if (errors.length > 0) throw invalid(errors);
  return {
    reason,
    ...present({ phone, participant, counterpartPhone, counterpartParticipant, expiresAt: until }),
  };
}

function renderBlock(block: Block) {
  const { id, phone, reason, createdAt } = block;
  return {
    ...{ id, phone, reason },
    createdAt: createdAt.toISOString(),
    ...present({
      counterpart: block.counterpart,
      expiresAt: block.expiresAt?.toISOString(),
      liftedAt: block.liftedAt?.toISOString(),
    }),
  };
}
