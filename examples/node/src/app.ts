import express from 'express';
import { convert, isUnit, units } from './units.js';

export function createApp(): express.Express {
  const app = express();
  app.disable('x-powered-by');

  app.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });

  app.get('/units', (_req, res) => {
    res.json(units);
  });

  app.get('/convert', (req, res) => {
    const { from, to } = req.query;
    const value = Number(req.query.value);
    if (!isUnit(from) || !isUnit(to) || !Number.isFinite(value)) {
      res.status(400).json({ error: 'want ?value=NUMBER&from=UNIT&to=UNIT', units });
      return;
    }
    res.json({ value: convert(value, from, to), unit: to });
  });

  return app;
}
